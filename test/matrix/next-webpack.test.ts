import { bundlerJob } from './bundler-job.ts';

bundlerJob('Next 16, webpack', ['/', '/pages-router.html']);
