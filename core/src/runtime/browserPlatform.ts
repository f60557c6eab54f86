import { systemClock } from '../time/systemClock.ts';
import type { Platform } from './platform.ts';

/** Any host with the web's globals. A message to oneself is the one macrotask there that is not delayed. */
export const platform: Platform = {
  clock: systemClock,
  later(callback) {
    const { port1, port2 } = new MessageChannel();
    port1.addEventListener('message', () => {
      port1.close();
      callback();
    });
    port1.start();
    port2.postMessage(null);
  },
};
