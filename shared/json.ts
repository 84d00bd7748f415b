/**
 * Reads JSON that strangers send. Depth is bounded before parsing (a deep document breaks later code that walks it),
 * and a repeated "alerts" key is refused because parsers silently keep only the last one.
 */
import { InvalidInputError } from './errors.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const ALERTS_KEY = Buffer.from('"alerts"');

/** Parses a UTF-8 JSON body of at most `maxDepth` levels; throws {@link InvalidInputError} with the place in words. */
export function parseJson(body: Buffer, maxDepth = 20): unknown {
  const bytes = body.subarray(0, 3).equals(Buffer.from([0xef, 0xbb, 0xbf])) ? body.subarray(3) : body;
  checkShape(bytes, maxDepth);
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    const problem =
      cause instanceof Error ? cause.message.replace(/[^\x20-\x7e]+/g, '?').slice(0, 120) : 'syntax error';
    throw new InvalidInputError(`the body is not valid JSON: ${problem}`);
  }
}

function checkShape(bytes: Buffer, maxDepth: number): void {
  let depth = 0;
  let alertsKeys = 0;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i];
    if (byte === QUOTE) {
      const end = endOfString(bytes, i);
      if (depth === 1 && end - i + 1 === ALERTS_KEY.length && isAlertsKey(bytes, i, end)) alertsKeys++;
      i = end;
    } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      if (++depth > maxDepth)
        throw new InvalidInputError(`the body is nested deeper than ${maxDepth} levels`);
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      depth--;
    }
  }
  if (alertsKeys > 1)
    throw new InvalidInputError('the body has the key "alerts" more than once; which one is meant?');
}

/** The place of the closing quote. A plain loop: strings are short, and `indexOf` costs more than their bytes. */
function endOfString(bytes: Buffer, start: number): number {
  let i = start + 1;
  while (i < bytes.length && bytes[i] !== QUOTE) i += bytes[i] === BACKSLASH ? 2 : 1;
  return Math.min(i, bytes.length);
}

function isAlertsKey(bytes: Buffer, start: number, end: number): boolean {
  if (!bytes.subarray(start, end + 1).equals(ALERTS_KEY)) return false;
  let i = end + 1;
  while (i < bytes.length && (bytes[i] ?? 0) <= 0x20) i++;
  return bytes[i] === 0x3a;
}
