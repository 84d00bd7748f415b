/**
 * Text from alerts is hostile: it may hide characters, turn the line around, forge lines or links, or never end.
 * Everything a person will read passes through `plain` first. Cuts fall between graphemes and are marked with "…".
 */

/** No field is worth more work than this many UTF-16 units, whatever was sent. */
const MAX_INPUT_LENGTH = 16_384;
const MAX_LINK_LENGTH = 512;
const ELLIPSIS = '…';

const ESC = String.fromCharCode(27);
const BEL = String.fromCharCode(7);
/** Terminal sequences: CSI (colours, cursor), OSC (titles, links) and the two-character ones. */
const ANSI = new RegExp(
  `(?:${ESC}\\[|${String.fromCharCode(0x9b)})[0-?]*[ -/]*[@-~]|${ESC}\\][^${BEL}${ESC}]*(?:${BEL}|${ESC}\\\\)?|${ESC}[@-Z\\\\^_]`,
  'g',
);
/** Controls, bidi marks, zero-width and other invisible characters; the emoji variation selector stays. */
const INVISIBLE = /(?!\u{FE0F})[\p{Cc}\p{Cf}\p{Co}\p{Default_Ignorable_Code_Point}]/gu;
/** More than three combining marks on one character is Zalgo text. */
const COMBINING_RUN = /(\p{M}{3})\p{M}+/gu;

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** One line of visible text: hidden characters removed, white space folded, cut to `maxChars` code points. */
export function plain(text: string, maxChars: number): string {
  const visible = text
    .slice(0, MAX_INPUT_LENGTH)
    .toWellFormed()
    .replace(ANSI, '')
    .normalize('NFC')
    .replace(/\s+/g, ' ')
    .replace(INVISIBLE, '')
    .replace(COMBINING_RUN, '$1')
    .replace(/ {2,}/g, ' ')
    .trim();
  return truncateRunes(visible, maxChars);
}

/** Like `plain`, and no address in it becomes a link that a finger can hit: `https://…` reads `https[:]//…`. */
export function inert(text: string, maxChars: number): string {
  return truncateRunes(plain(text, maxChars).replaceAll('://', '[:]//'), maxChars);
}

/**
 * The address when it may be offered as a link (http or https, no credentials, at most 512 characters), else null.
 * `allowedHosts` narrows it to those hosts, `*.example.org` meaning every name below; empty allows every host.
 */
export function safeLink(link: string | null, allowedHosts: readonly string[] = []): string | null {
  if (link === null || link.length > MAX_LINK_LENGTH) return null;
  const url = URL.parse(link);
  if (url === null || !/^https?:$/.test(url.protocol)) return null;
  if (url.username !== '' || url.password !== '' || url.href.length > MAX_LINK_LENGTH) return null;
  const isAllowed =
    allowedHosts.length === 0 || allowedHosts.some((allowed) => isHostOf(url.hostname, allowed));
  return isAllowed ? url.href : null;
}

function isHostOf(hostname: string, allowed: string): boolean {
  return allowed.startsWith('*.') ? hostname.endsWith(allowed.slice(1)) : hostname === allowed;
}

/** Cuts to at most `maxChars` code points, "…" included. */
export function truncateRunes(text: string, maxChars: number): string {
  return truncateBy(text, maxChars, countRunes);
}

/** Cuts to at most `maxBytes` bytes of UTF-8, "…" included. */
export function truncateBytes(text: string, maxBytes: number): string {
  return truncateBy(text, maxBytes, (part) => Buffer.byteLength(part));
}

/**
 * Cuts so that the encoded text is at most `max` long ("…" included) and encodes it, so that no escape is cut in half.
 * `encode` works character by character.
 */
export function truncateEncoded(
  text: string,
  max: number,
  encode: (part: string) => string,
  sizeOf: (encoded: string) => number = countRunes,
): string {
  return encode(truncateBy(text, max, (part) => sizeOf(encode(part))));
}

/** How many code points a text has; vendors that say "characters" mean these. */
export function countRunes(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

/** Cuts to at most `max` by any measure that adds up over graphemes, "…" included. */
export function truncateBy(text: string, max: number, sizeOf: (part: string) => number): string {
  if (sizeOf(text) <= max) return text;
  const room = max - sizeOf(ELLIPSIS);
  if (room < 0) return '';
  let used = 0;
  let end = 0;
  for (const { segment } of graphemes.segment(text)) {
    const size = sizeOf(segment);
    if (used + size > room) break;
    used += size;
    end += segment.length;
  }
  // Half an address is a wrong address: a link that does not fit is dropped whole.
  const kept = /\S/.test(text.slice(end, end + 1))
    ? text.slice(0, end).replace(/https?:\/\/\S*$/, '')
    : text.slice(0, end);
  return kept.trimEnd() + ELLIPSIS;
}
