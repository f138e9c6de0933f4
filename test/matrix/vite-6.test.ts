import { bundlerJob } from './bundler-job.ts';

bundlerJob('Vite 6', ['/'], 6);
