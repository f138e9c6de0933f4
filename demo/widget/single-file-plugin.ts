import { createHash } from 'node:crypto';
import type { Plugin } from 'vite';

const hashOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/**
 * Inlines the script and the style sheets of a page, under a policy that allows these, lets workers start from the page
 * alone, and forbids any fetch.
 */
export function singleFile(page: string): Plugin {
  return {
    name: 'single-file',
    enforce: 'post',
    generateBundle(_, bundle) {
      const html = bundle['index.html'];
      if (html?.type !== 'asset') return;
      const styles: string[] = [];
      const scripts: string[] = [];
      for (const [name, output] of Object.entries(bundle)) {
        if (output.type === 'asset' && name.endsWith('.css')) styles.push(textOf(output.source));
        else if (output.type === 'chunk' && output.facadeModuleId?.endsWith('.html'))
          scripts.push(output.code);
        else continue;
        Reflect.deleteProperty(bundle, name);
      }
      const chunks = Object.values(bundle).filter((output) => output.type === 'chunk');
      if (scripts.length !== 1 || chunks.some((chunk) => chunk.imports.length > 0))
        throw new Error('The page of the explorer does not come as one script.');
      // The end tag of a script may occur in its strings.
      const script = scripts[0]!.trim().replaceAll('</script', '<\\/script');
      const style = styles.join('\n').trim();
      const policy = [
        "default-src 'none'",
        `script-src ${hashOf(script)}`,
        `style-src ${hashOf(style)}`,
        'worker-src blob: data:',
        'img-src blob: data:',
        "base-uri 'none'",
        "form-action 'none'",
      ].join('; ');
      const source = textOf(html.source)
        .replaceAll(/\s*<(script|link)[^>]*(src|href)=[^>]*>(<\/script>)?/g, '')
        .replace(
          '<meta charset="utf-8" />',
          `$&\n    <meta http-equiv="Content-Security-Policy" content="${policy}" />`,
        )
        .replace('</head>', () => `<style>${style}</style>\n  </head>`)
        .replace('</body>', () => `<!--table-->\n    <script type="module">${script}</script>\n  </body>`);
      Reflect.deleteProperty(bundle, 'index.html');
      this.emitFile({ type: 'asset', fileName: page, source });
    },
  };
}

const textOf = (source: string | Uint8Array): string =>
  typeof source === 'string' ? source : new TextDecoder().decode(source);
