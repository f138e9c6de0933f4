import { bundlerJob } from './bundler-job.ts';

bundlerJob('Vite 7', ['/'], 7);
