/**
 * The words of a text, as the rule table knows them: `HAProxyBackend4xx` is "ha", "proxy", "backend4xx".
 *
 * Only ASCII letters and digits make words; everything else separates them. One pass, one array, linear in the text.
 */

const OTHER = 0;
const LOWER = 1;
const UPPER = 2;
const DIGIT = 3;

const KINDS = Uint8Array.from({ length: 128 }, (_, code) => kindOf(String.fromCharCode(code)));

/** Cuts a text into lower-case words at separators and CamelCase. */
export function splitWords(text: string): string[] {
  const words: string[] = [];
  let start = -1;
  let hasUpper = false;
  for (let at = 0; at <= text.length; at += 1) {
    const kind = kindAt(text, at);
    if (start >= 0 && endsWord(text, at, kind)) {
      const word = text.slice(start, at);
      words.push(hasUpper ? word.toLowerCase() : word);
      start = -1;
    }
    if (kind === OTHER) continue;
    if (start < 0) {
      start = at;
      hasUpper = false;
    }
    if (kind === UPPER) hasUpper = true;
  }
  return words;
}

/** The singular of a plural, the family of the *arr programs, the letters before a number (`couchdb4xx`), or the word. */
export function simplifyWord(word: string): string {
  if (word.length > 2 && word.endsWith('s') && !word.endsWith('ss')) return word.slice(0, -1);
  if (word.endsWith('arr')) return 'arr';
  let letters = 0;
  while (kindAt(word, letters) === LOWER) letters += 1;
  return letters >= 3 ? word.slice(0, letters) : word;
}

/** A word ends before a separator, at `aB`, and before the last capital of `ABc`. */
function endsWord(text: string, at: number, kind: number): boolean {
  if (kind === OTHER) return true;
  if (kind !== UPPER) return false;
  return kindAt(text, at - 1) !== UPPER || (kindAt(text, at + 1) === LOWER && !isPlural(text, at));
}

/** `PVCs` and `CVEs`: a lone s after capitals belongs to them. */
function isPlural(text: string, at: number): boolean {
  return text[at + 1] === 's' && kindAt(text, at + 2) !== LOWER;
}

/** Outside the text there are separators; the bounds are checked because reading past the end would be slow. */
function kindAt(text: string, at: number): number {
  if (at < 0 || at >= text.length) return OTHER;
  const code = text.charCodeAt(at);
  return code < 128 ? KINDS[code]! : OTHER;
}

function kindOf(char: string): number {
  if (/[a-z]/.test(char)) return LOWER;
  if (/[A-Z]/.test(char)) return UPPER;
  return /[0-9]/.test(char) ? DIGIT : OTHER;
}
