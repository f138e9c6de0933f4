import { GsnnModel } from 'magnitude-edge';
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
// Most of what a first visit waits for: it comes while the page fetches the example or somebody looks for a file.
// What goes wrong is told by the first model that is opened.
GsnnModel.startRuntime().catch(() => undefined);
