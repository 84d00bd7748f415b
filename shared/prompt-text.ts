/**
 * Text from alerts, logs and events on its way into a prompt. Anybody who can write a log line writes here, so hidden
 * characters go, secrets are masked, lengths are bounded, and what is left stands fenced as data.
 *
 * None of this is what keeps the model harmless: it has no authority (see docs/explanations.md). It keeps secrets in and
 * makes attacks dull.
 */

/** No field is worth more work than this many characters. */
const MAX_INPUT_CHARS = 16_384;
const MASK = '***';

const ESC = String.fromCharCode(27);
const ANSI = new RegExp(`(?:${ESC}\\[|${String.fromCharCode(0x9b)})[0-?]*[ -/]*[@-~]`, 'g');
/** Controls, bidi marks, zero-width and other characters that nobody sees. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Default_Ignorable_Code_Point}]/gu;
const COMBINING_RUN = /(\p{M}{2})\p{M}+/gu;

/** What secrets look like; each expression is linear, because who writes the text may choose it to be slow. */
const SECRETS: ReadonlyArray<readonly [RegExp, string]> = [
  [/-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|$)/g, MASK],
  [/\b([a-z][a-z0-9+.-]{1,20}:\/\/)[^\s/@]{1,200}@/gi, `$1${MASK}@`],
  [/\b(bearer|basic|digest|token|apikey)\s+[\w.~+/=-]{8,}/gi, `$1 ${MASK}`],
  [
    /((?:pass(?:word|wd|phrase)?|pwd|secret|token|api[_-]?key|access[_-]?key(?:[_-]?id)?|auth(?:orization)?|credentials?|private[_-]?key|session(?:[_-]?id)?|cookie|signature|sig)["']?\s{0,3}[:=]\s{0,3}["']?)[^\s"',;&]{3,}/gi,
    `$1${MASK}`,
  ],
  [/\beyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?/g, MASK],
  [/\b(?:AKIA|ASIA|AGPA|AIDA|AROA)[A-Z0-9]{12,}/g, MASK],
  [
    /\b(?:gh[pousr]_|github_pat_|glpat-|xox[abeprs]-|sk-|pk_live_|sk_live_|rk_live_|AIza|ya29\.|npm_|hf_)[\w.-]{10,}/g,
    MASK,
  ],
  [/\bhooks\.slack\.com\/services\/[\w/]+/gi, `hooks.slack.com/${MASK}`],
  [/(https?:\/\/[^\s?#]{1,300})[?#]\S+/gi, `$1?${MASK}`],
  // Long runs that mix letters and digits: keys of makers not named above.
  [
    /(?<![\w/+=-])(?=[\w/+=-]{0,200}\d)(?=[\w/+=-]{0,200}[A-Z])(?=[\w/+=-]{0,200}[a-z])[A-Za-z0-9/+=_-]{32,}/g,
    MASK,
  ],
  [/\b[0-9a-f]{40,}\b/gi, MASK],
];

/** One line of visible text, in one spelling (NFKC), cut to `maxChars`. */
export function normalizeText(text: string, maxChars: number): string {
  const visible = text
    .slice(0, MAX_INPUT_CHARS)
    .toWellFormed()
    .normalize('NFKC')
    .replace(ANSI, '')
    .replace(/\s+/g, ' ')
    .replace(INVISIBLE, '')
    .replace(COMBINING_RUN, '$1')
    .trim();
  return visible.length <= maxChars ? visible : `${visible.slice(0, maxChars - 1).toWellFormed()}…`;
}

/** The text with what looks like a secret replaced by `***`. */
export function maskSecrets(text: string): string {
  return SECRETS.reduce((masked, [secret, by]) => masked.replace(secret, by), text.slice(0, MAX_INPUT_CHARS));
}

/** Normalised, masked and cut: what may be stored and shown beside an explanation. */
export function toSafeText(text: string, maxChars: number): string {
  return normalizeText(maskSecrets(normalizeText(text, MAX_INPUT_CHARS)), maxChars);
}

/** A name as Kubernetes, Prometheus and people write names. */
const NAME = /^[A-Za-z0-9/](?:[A-Za-z0-9_.:/@-]{0,98}[A-Za-z0-9])?$/;

/** A label's value when it is a name, else `<text>`: sentences have no place where a name is expected. */
export function toSafeName(value: string): string {
  const text = normalizeText(value, 120);
  if (text === '') return '<empty>';
  return NAME.test(text) && !text.includes('://') && maskSecrets(text) === text ? text : '<text>';
}

/** A block of data; its end cannot be forged, because the lines lose what the fence is made of. */
export function fence(title: string, lines: readonly string[]): string {
  const body = lines.map((line) => line.replaceAll(/[<>]{2,}/g, '').replaceAll('`', "'"));
  return [`<<<${title}`, ...(body.length === 0 ? ['(nothing)'] : body), `${title}>>>`].join('\n');
}
