import { FitSession } from './fit-session.ts';
import { ownPort, serve } from './rpc.ts';
import { watchDownloads } from './watch-downloads.ts';

const session = new FitSession({
  download: (value) => {
    send('download', value);
  },
  progress: (value) => {
    send('progress', value);
  },
  placement: (value) => {
    send('placement', value);
  },
  checkpoint: (value) => {
    send('checkpoint', value);
  },
  repeat: (value) => {
    send('repeat', value);
  },
  resample: (value) => {
    send('resample', value);
  },
});
const send = serve(ownPort, session);
watchDownloads((value) => {
  send('download', value);
});
