const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  // A parser reads a bare one as a line feed.
  '\r': '&#13;',
};

/**
 * Text for XML 1.0, in elements and attributes. What XML has no way to hold, not even escaped (control characters, lone
 * surrogates, noncharacters), is shown by its number, as in `\u0000`.
 */
export const escapeXml = (text: string): string =>
  text
    .replaceAll(/[&<>"\r]/g, (character) => escapes[character]!)
    .replaceAll(
      // eslint-disable-next-line no-control-regex
      /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ud800-\udfff\ufffe\uffff]/gu,
      (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
    );
