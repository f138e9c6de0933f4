import type { Plugin } from 'vite';

/**
 * The policy of index.html for `npm start`. The built page has it as it is written; the development server puts style
 * sheets into the page as text, and pushes changes over a WebSocket.
 */
export function servedPolicy(): Plugin {
  const strict = ["style-src 'self'", "connect-src 'self'"] as const;
  return {
    name: 'served-policy',
    apply: 'serve',
    transformIndexHtml(html) {
      for (const directive of strict)
        if (!html.includes(directive)) throw new Error(`The policy of index.html has no ${directive}.`);
      return html
        .replace(strict[0], `${strict[0]} 'unsafe-inline'`)
        .replace(strict[1], `${strict[1]} ws://localhost:* ws://127.0.0.1:*`);
    },
  };
}
