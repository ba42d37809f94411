/** Base64 (RFC 4648, padded) in plain arithmetic, for a room that has neither a browser's nor Node's. */
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
/** By character code; padding counts as 0. */
const values = Uint8Array.from({ length: 128 }, (_, code) =>
  Math.max(0, alphabet.indexOf(String.fromCharCode(code))),
);

export function toBase64(bytes: Uint8Array): string {
  const parts: string[] = [];
  for (let at = 0; at < bytes.length; at += 3) {
    const word = (bytes[at]! << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    for (let place = 0; place < 4; place++) {
      parts.push(at + place > bytes.length ? '=' : alphabet[(word >> (18 - 6 * place)) & 63]!);
    }
  }
  return parts.join('');
}

/** Null where the text is not base64. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> | null {
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text)) return null;
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const bytes = new Uint8Array((text.length / 4) * 3 - padding);
  for (let at = 0, out = 0; at < text.length; at += 4, out += 3) {
    let word = 0;
    for (let place = 0; place < 4; place++) word = word * 64 + values[text.charCodeAt(at + place)]!;
    for (let place = 0; place < 3 && out + place < bytes.length; place++) {
      bytes[out + place] = (word >> (16 - 8 * place)) & 255;
    }
  }
  return bytes;
}
