/**
 * Alertmanager's label matchers: `severity="critical"`, `namespace=~"db|mysql"`, `{a!="b", "ключ"!~"x.*"}`. Pure.
 * The classic syntax is tried first and the UTF-8 one where it fails, so every matcher means what it means there.
 * Patterns are RE2, anchored at both ends: no pattern that a person writes can take long.
 */
import { RE2JS } from 're2js';
import { InvalidInputError } from './errors.ts';

/** Label names and values. */
export type Labels = Readonly<Record<string, string>>;

/** Longest value of a matcher, in characters. */
const VALUE_CHARS = 1_000;

export type Operator = '=' | '!=' | '=~' | '!~';

/** One condition on one label; a label that is missing counts as empty. */
export interface Matcher {
  readonly name: string;
  readonly operator: Operator;
  readonly value: string;
  matches(labels: Labels): boolean;
}

/** Reads one or several matchers, with or without braces; an {@link InvalidInputError} says what is wrong. */
export function parseMatchers(text: string): readonly Matcher[] {
  const parts = parseClassic(text) ?? parseUtf8(text);
  if (parts === null) {
    throw new InvalidInputError(
      `${JSON.stringify(text.slice(0, 100))} is no matcher; write name="value" with =, !=, =~ or !~`,
    );
  }
  if (parts.length === 0) throw new InvalidInputError('a matcher is empty; write name="value"');
  return parts.map((part) => createMatcher(part));
}

/** Whether all matchers hold; none at all always do. */
export function matchesAll(matchers: readonly Matcher[], labels: Labels): boolean {
  return matchers.every((matcher) => matcher.matches(labels));
}

/** A matcher as text, quoted. */
export function formatMatcher({ name, operator, value }: Omit<Matcher, 'matches'>): string {
  const shown = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(name) ? name : JSON.stringify(name);
  return `${shown}${operator}${JSON.stringify(value)}`;
}

type Part = Omit<Matcher, 'matches'>;

function createMatcher(part: Part): Matcher {
  const { name, operator, value } = part;
  if (value.length > VALUE_CHARS)
    throw new InvalidInputError(`the matcher of ${name} is longer than ${VALUE_CHARS} characters`);
  const test = operator === '=' || operator === '!=' ? (text: string) => text === value : toTest(part);
  const negated = operator === '!=' || operator === '!~';
  return {
    ...part,
    matches: (labels) => test((Object.hasOwn(labels, name) ? labels[name] : undefined) ?? '') !== negated,
  };
}

function toTest(part: Part): (text: string) => boolean {
  try {
    const pattern = RE2JS.compile(part.value);
    return (text) => pattern.matches(text);
  } catch {
    throw new InvalidInputError(
      `${formatMatcher(part)} has a pattern that RE2 does not take (it knows no look-around and no back-references)`,
    );
  }
}

const CLASSIC =
  /^[\t\n\f\r ]*([a-zA-Z_:][a-zA-Z0-9_:]*)[\t\n\f\r ]*(=~|=|!=|!~)[\t\n\f\r ]*([\s\S]*?)[\t\n\f\r ]*$/;

/** Alertmanager's syntax before 0.27; null when the text is not of it. */
function parseClassic(text: string): readonly Part[] | null {
  const parts: Part[] = [];
  for (const token of splitAtCommas(text.replace(/^\{/, '').replace(/\}$/, ''))) {
    const [, name, operator, raw] = CLASSIC.exec(token) ?? [];
    if (name === undefined || raw === undefined) return null;
    const value = unescapeClassic(raw);
    if (value === null) return null;
    parts.push({ name, operator: operator as Operator, value });
  }
  return parts;
}

/** Commas inside quotes do not separate; a comma at the end is allowed. */
function splitAtCommas(text: string): readonly string[] {
  const tokens: string[] = [];
  let token = '';
  let isInside = false;
  let isEscaped = false;
  for (const char of text) {
    if (char === ',' && !isInside) {
      tokens.push(token);
      token = '';
      continue;
    }
    if (char === '"' && !isEscaped) isInside = !isInside;
    // A comma inside quotes leaves an escape open: Alertmanager's own quirk.
    if (char !== ',') isEscaped = char === '\\' && !isEscaped;
    token += char;
  }
  return token.trim() === '' ? tokens : [...tokens, token];
}

/** The value with its escapes read: `\n`, `\"`, `\\`; any other backslash is itself. Null when its quotes do not fit. */
function unescapeClassic(raw: string): string | null {
  const isQuoted = raw.startsWith('"');
  const text = isQuoted ? raw.slice(1) : raw;
  let value = '';
  for (let index = 0; index < text.length; index++) {
    const char = text[index] ?? '';
    if (char === '"') return isQuoted && index === text.length - 1 ? value : null;
    const next = char === '\\' ? text[index + 1] : undefined;
    if (next === undefined) {
      value += char;
      continue;
    }
    value += next === 'n' ? '\n' : next === '"' || next === '\\' ? next : `\\${next}`;
    index++;
  }
  return isQuoted ? null : value;
}

const TOKEN =
  /[\t\n\f\r ]*(?:(?<quoted>"(?:[^"\\\n]|\\.)*")|(?<operator>=~|!=|!~|=)|(?<mark>[{},])|(?<word>[^\s{}!=~,\\"'`]+))/uy;

/** Alertmanager's syntax since 0.27, in which names may be of any characters; null when the text is not of it. */
function parseUtf8(text: string): readonly Part[] | null {
  const tokens = tokenize(text.trim());
  if (tokens === null) return null;
  const isBraced = tokens[0]?.mark === '{';
  if (isBraced !== (tokens.at(-1)?.mark === '}')) return null;
  const inner = isBraced ? tokens.slice(1, -1) : tokens;
  const parts: Part[] = [];
  for (let index = 0; index < inner.length; index += 4) {
    const [name, operator, value, comma] = inner.slice(index, index + 4);
    if (name?.text === undefined || operator?.operator === undefined || value?.text === undefined)
      return null;
    if (comma !== undefined && comma.mark !== ',') return null;
    parts.push({ name: name.text, operator: operator.operator, value: value.text });
  }
  return parts;
}

interface Token {
  readonly text?: string;
  readonly operator?: Operator;
  readonly mark?: string;
}

function tokenize(text: string): readonly Token[] | null {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const { quoted, operator, mark, word } = TOKEN.exec(text)?.groups ?? {};
    const string = quoted === undefined ? undefined : unquote(quoted);
    if (string === null) return null;
    if (string !== undefined) tokens.push({ text: string });
    else if (word !== undefined) tokens.push({ text: word });
    else if (operator !== undefined) tokens.push({ operator: operator as Operator });
    else if (mark !== undefined) tokens.push({ mark });
    else return null;
  }
  return tokens;
}

const ESCAPES: Readonly<Record<string, string>> = {
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  '"': '"',
};

/** A string as Go quotes it; null for an escape that Go does not know. */
function unquote(quoted: string): string | null {
  let isKnown = true;
  const value = quoted
    .slice(1, -1)
    .replaceAll(
      /\\(?:x([0-7][0-9a-f])|u([0-9a-f]{4})|U([0-9a-f]{8})|([\s\S]))/gi,
      (whole: string, byte?: string, short?: string, long?: string, letter?: string) => {
        const code = Number.parseInt(byte ?? short ?? long ?? '', 16);
        if (!Number.isNaN(code) && code <= 0x10_ff_ff) return String.fromCodePoint(code);
        const known = letter === undefined ? undefined : ESCAPES[letter];
        isKnown &&= known !== undefined;
        return known ?? whole;
      },
    );
  return isKnown ? value : null;
}
