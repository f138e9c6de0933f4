import { FitSession } from './fit-session.ts';
import { ownPort, serve } from './rpc.ts';

const session = new FitSession({
  progress: (value) => {
    send('progress', value);
  },
  placement: (value) => {
    send('placement', value);
  },
  repeat: (value) => {
    send('repeat', value);
  },
  resample: (value) => {
    send('resample', value);
  },
});
const send = serve(ownPort, session);
