import { bundlerJob } from './bundler-job.ts';

bundlerJob('Next 16, turbopack', ['/', '/pages-router.html']);
