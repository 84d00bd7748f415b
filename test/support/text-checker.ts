/**
 * Reads a finished digest as a person would and compares it with the raw patterns of the night: it shares no code with
 * what wrote the text. Every number, every name and every time must be found in the patterns or follow from their sums.
 */
import type { PatternNight } from '../../shared/postgres/digest-night.ts';

/** What the text says that the night does not, and which groups it leaves out. */
export interface Findings {
  readonly numbers: readonly string[];
  readonly names: readonly string[];
  readonly missing: readonly string[];
}

/** Capitals inside, digits with letters, hyphens, underscores, slashes or dots inside: no word of a template looks so. */
const NAME_LIKE = /^(?=.*[A-Za-z])(?:.*[a-z][A-Z].*|.*\d.*|.*[A-Za-z][-_/.][A-Za-z0-9].*)$/;

/** Checks the plain text of a digest. */
export function checkText(text: string, patterns: readonly PatternNight[]): Findings {
  const names = new Set(
    patterns.flatMap(({ alertname, namespace, title, node }) => [
      alertname,
      ...(namespace === null ? [] : [namespace, `(${namespace})`]),
      title,
      ...title.split('/'),
      ...(node === null ? [] : [node]),
    ]),
  );
  const numbers = allowedNumbers(patterns);
  const times = allowedTimes(patterns);
  const foundNumbers: string[] = [];
  const foundNames: string[] = [];
  const [, ...lines] = text.split('\n').slice(1);
  for (const line of lines) {
    const words = line
      .replace(/^\d+\. /, '')
      .replaceAll(/https:\/\/runbooks\.example\.org\/a/g, '')
      .split(/[\s•↳]+/u)
      .map((word) => word.replaceAll(/^[("“]+|[)",.:;”?!]+$/g, ''))
      .filter((word) => word !== '');
    for (const word of words) {
      const bare = word.replaceAll(/[(),]/g, '');
      if (names.has(word) || names.has(bare)) continue;
      if (/^\d{1,2}:\d{2}$/.test(word)) {
        if (!times.has(word)) foundNumbers.push(word);
      } else if (/^\d[\d,.]*$/.test(word)) {
        if (!numbers.has(word.replaceAll(',', ''))) foundNumbers.push(`${word} in "${line}"`);
      } else if (NAME_LIKE.test(word)) foundNames.push(`${word} in "${line}"`);
    }
  }
  const attention = text.slice(text.indexOf('Requires Immediate'), text.indexOf('Overnight Summary'));
  const loud = patterns.filter(
    ({ heartbeat, severity, firing }) =>
      !heartbeat && severity !== 'none' && (severity === 'critical' || firing > 0),
  );
  const missing = loud
    .map(({ alertname, namespace }) => (namespace === null ? alertname : `${alertname} (${namespace})`))
    .filter((name) => !attention.includes(`${name}:`));
  return { numbers: foundNumbers, names: foundNames, missing };
}

/** Numbers of single patterns, of every grouping a digest makes, and their shares. */
function allowedNumbers(patterns: readonly PatternNight[]): ReadonlySet<string> {
  // "last 7 nights", "2 h" and "10 minutes" of the notes' own wording; the nights compared with, and their median.
  const allowed = new Set(['0', '7', '2', '10', '14', '40', '100', '99.9', '0.1']);
  const add = (value: number): void => void allowed.add(String(value));
  const sums = (of: readonly PatternNight[]): { all: number; firing: number; seconds: number } => ({
    all: of.reduce((sum, { episodes }) => sum + episodes, 0),
    firing: of.reduce((sum, { firing }) => sum + firing, 0),
    seconds: of.reduce((sum, { seconds }) => sum + seconds, 0),
  });
  const real = patterns.filter(({ heartbeat }) => !heartbeat);
  const total = sums(patterns).all;
  const groupings: ReadonlyArray<(pattern: PatternNight) => string> = [
    () => '',
    ({ severity }) => severity,
    ({ severity, heartbeat }) => `${severity} ${heartbeat}`,
    ({ alertname }) => alertname,
    ({ alertname, severity, namespace }) => JSON.stringify([alertname, severity, namespace]),
    ({ pattern }) => pattern,
    ({ severity, firing }) =>
      `${severity === 'warning' || severity === 'unknown' ? 'loud' : severity} ${firing > 0}`,
    ({ severity }) =>
      severity === 'warning' || severity === 'unknown' || severity === 'critical' ? 'loud' : severity,
  ];
  for (const of of [patterns, real])
    for (const grouping of groupings) {
      const groups = [...Map.groupBy(of, grouping).values()];
      for (let count = 0; count <= groups.length; count++) add(count);
      for (const group of groups) {
        const { all, firing, seconds } = sums(group);
        for (const value of [all, firing, all - firing, group.length]) add(value);
        for (const share of [(all / total) * 100, ((all - firing) / all) * 100])
          allowed.add(share.toFixed(1));
        for (const pattern of group) allowed.add(((pattern.episodes / all) * 100).toFixed(1));
        for (const value of parts(seconds)) add(value);
      }
    }
  for (const { most, cycles, nights, longest } of patterns) {
    add(most);
    add(cycles);
    add(nights.length + 1);
    for (const value of parts(longest ?? 0)) add(value);
  }
  for (let night = 1; night <= 14; night++) add(night);
  for (let place = 0; place <= patterns.length; place++) add(place);
  return allowed;
}

/** Days, hours, minutes and seconds of a duration, each way it may be written. */
function parts(seconds: number): number[] {
  const minutes = Math.floor(seconds / 60);
  return [
    Math.floor(seconds),
    minutes,
    Math.floor(minutes / 60),
    minutes % 60,
    Math.floor(minutes / 1_440),
    Math.floor((minutes % 1_440) / 60),
  ];
}

function allowedTimes(patterns: readonly PatternNight[]): ReadonlySet<string> {
  const times = patterns.flatMap(({ first_start, firing_since, last_seen, last_start }) => [
    first_start,
    last_seen,
    last_start,
    ...(firing_since === null ? [] : [firing_since]),
  ]);
  return new Set(times.map((time) => time.toISOString().slice(11, 16)));
}
