import type { Plugin } from 'vite';

/**
 * Relaxes the policy of index.html for `npm start`: the development server inlines style sheets and pushes changes over
 * a WebSocket. The built page keeps the policy as written.
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
