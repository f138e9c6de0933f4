import { bundlerJob } from './bundler-job.ts';

bundlerJob('Parcel');
