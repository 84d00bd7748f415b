/** routes: who would hear of an alert by a routes file, at a time, and why; like `amtool config routes test`. */
import { readFileSync } from 'node:fs';
import { CHANNEL_TYPES } from '../functions/notify/channels/index.ts';
import { formatMatcher, parseMatchers } from '../shared/matchers.ts';
import { formatProblems, readRoutes } from '../functions/notify/routes-file.ts';
import type { ReadRoutes } from '../functions/notify/routes-file.ts';
import { answerFor, isQuietTime } from '../functions/notify/routes.ts';
import type { Answer, RouteMatch } from '../functions/notify/routes.ts';
import type { Labels } from '../functions/notify/routing.ts';
import { classifyByRules } from '../functions/classify/rules.ts';
import { AppError, ConfigError } from '../shared/errors.ts';
import { normalizeSeverity } from '../shared/severity.ts';
import type { Severity } from '../shared/severity.ts';
import { UsageError, defineCommand } from './command.ts';
import { cleanLine } from './terminal.ts';

/** Longest line that is printed, in characters. */
const LINE_CHARS = 1_000;

export const command = defineCommand({
  help: `
routes test: prints which route of a routes file takes an alert, which channels hear of it and why; exits 1 when nobody would.
Channels' secrets are not needed.

  --file FILE      the routes (default: what ROUTES_FILE names)
  --labels A=B,…   the alert's labels; severity is read as a label is, category follows from alertname unless given
  --at TIME        when, as 2026-03-29T01:30:00Z (default: now)
  --json           the answer as JSON

Example:
  npm run --silent alertgest -- routes test --file docs/examples/routes/homelab.yaml \\
    --labels severity=warning,namespace=db --at 2026-03-29T01:30:00Z`,
  flags: {
    file: { type: 'string' },
    labels: { type: 'string', default: '' },
    at: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
  words: ['test'],
  run({ file: path = process.env['ROUTES_FILE'], labels: words, at: time, json }, [word]) {
    if (word !== 'test') throw new UsageError(`routes knows "test", not "${word ?? ''}"`);
    if (path === undefined || path === '') throw new UsageError('routes test needs --file or ROUTES_FILE');
    const at = time === undefined ? new Date() : new Date(time);
    if (Number.isNaN(at.getTime()))
      throw new UsageError(`--at takes a time such as 2026-03-29T01:30:00Z, not "${time ?? ''}"`);
    const labels = toAlertLabels(readLabels(words));
    const { file } = readRoutesFile(path);
    const answer = answerFor(
      file,
      file.channels.map(({ name }) => name),
      labels,
      at,
    );
    const quiet = [...answer.channels.keys()].filter((name) =>
      isQuietTime(file, name, labels['severity'] as Severity, at),
    );
    process.stdout.write(
      json
        ? `${JSON.stringify(toJson(labels, at, answer, quiet), null, 2)}\n`
        : toText(labels, at, answer, quiet),
    );
    return Promise.resolve(answer.channels.size > 0 ? 0 : 1);
  },
});

/** Reads a routes file from a path; a {@link ConfigError} tells every problem with its line. */
export function readRoutesFile(path: string): ReadRoutes {
  const read = readRoutes(readText(path), new Set(CHANNEL_TYPES.map(({ type }) => type)));
  if ('file' in read) return read;
  throw new ConfigError(`the routes are not usable:\n${formatProblems(read, path)}`);
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    throw new UsageError(`${path} cannot be read`);
  }
}

/** `a=b,c="d, e"`, as matchers that only know `=`. */
function readLabels(text: string): Labels {
  if (text.trim() === '') return {};
  try {
    const matchers = parseMatchers(text);
    const wrong = matchers.find(({ operator }) => operator !== '=');
    if (wrong !== undefined) throw new UsageError(`--labels takes name=value, not ${formatMatcher(wrong)}`);
    return Object.fromEntries(matchers.map(({ name, value }) => [name, value]));
  } catch (error) {
    if (error instanceof AppError) throw new UsageError(`--labels: ${error.message}`);
    throw error;
  }
}

/** The labels as notify routes by them. */
function toAlertLabels(labels: Labels): Labels {
  const category =
    labels['category'] ??
    (labels['alertname'] === undefined ? undefined : classifyByRules({ labels, annotations: {} }).category);
  return {
    ...labels,
    severity: normalizeSeverity(labels['severity']),
    kind: labels['kind'] ?? 'opened',
    ...(category !== undefined && { category }),
  };
}

function toJson(labels: Labels, at: Date, answer: Answer, quiet: readonly string[]): object {
  return {
    labels,
    at: at.toISOString(),
    routes: answer.matches,
    channels: [...answer.channels].map(([name, fallback]) => ({
      name,
      fallback,
      quiet: quiet.includes(name),
    })),
    escalations: answer.escalations,
    why: answer.why,
  };
}

function toText(labels: Labels, at: Date, answer: Answer, quiet: readonly string[]): string {
  const lines = [
    `labels     ${Object.entries(labels)
      .map(([name, value]) => formatMatcher({ name, operator: '=', value }))
      .join(', ')}`,
    `at         ${at.toISOString()}`,
    ...(answer.matches.length === 0 ? ['route      none matches'] : []),
    ...answer.matches.map((match) => `route      ${match.name}${toSilence(match)}`),
    ...[...answer.channels].map(([name, fallback]) => {
      const more = [
        quiet.includes(name) ? 'without sound' : '',
        fallback.length === 0 ? '' : `if it cannot be reached: ${fallback.join(', ')}`,
      ].filter((text) => text !== '');
      return `channel    ${name}${more.length === 0 ? '' : ` (${more.join('; ')})`}`;
    }),
    ...answer.escalations.map(
      ({ afterMs, channels }) =>
        `later      ${channels.join(', ')}, when nobody says a word for ${afterMs / 60_000} min`,
    ),
    ...(answer.channels.size === 0 ? [`nobody     ${answer.why ?? ''}`] : toFailOpen(answer)),
  ];
  return `${lines.map((line) => cleanLine(line, LINE_CHARS)).join('\n')}\n`;
}

function toSilence({ silence }: RouteMatch): string {
  if (silence === null) return '';
  const intervals = silence.intervals.join(', ');
  return silence.by === 'mute' ? ` (muted by ${intervals})` : ` (silent: outside ${intervals})`;
}

function toFailOpen({ why }: Answer): readonly string[] {
  return why === null
    ? []
    : [
        `why        ${why}; a critical or unknown severity then goes to every channel, those of variables too`,
      ];
}
