const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  // A parser reads an unescaped one as a line feed.
  '\r': '&#13;',
};

/**
 * Escapes text for XML 1.0, in elements and attributes. Characters that XML cannot hold even when escaped (control
 * characters, lone surrogates, noncharacters) are written by number, as in `\u0000`.
 */
export const escapeXml = (text: string): string =>
  text
    .replaceAll(/[&<>"\r]/g, (character) => escapes[character]!)
    .replaceAll(
      // eslint-disable-next-line no-control-regex
      /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ud800-\udfff\ufffe\uffff]/gu,
      (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
    );
