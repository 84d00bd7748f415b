/**
 * Reads a routes file: YAML in, checked routes out, or every problem at once, each with its line and what to do. Pure:
 * secrets are read by `channel-instances.ts`, so a file can be looked at without having them.
 */
import { LineCounter, isAlias, isMap, isScalar, isSeq, parseDocument } from 'yaml';
import type { Document, Node } from 'yaml';
import type * as z from 'zod';
import { routesFileSchema } from './routes-schema.ts';
import type { RouteInput, RoutesFile } from './routes-schema.ts';

/** A longer file is a mistake, in characters. */
const MAX_CHARS = 262_144;

/** Where in the file: keys and indexes from the top. */
export type Path = readonly PropertyKey[];

/** What is wrong, where. */
export interface Problem {
  readonly line: number;
  readonly text: string;
}

/** A file that was read; `problemAt` makes a problem of a place in it. */
export interface ReadRoutes {
  readonly file: RoutesFile;
  readonly problemAt: (path: Path, text: string) => Problem;
}

/** Reads a file's text; `types` are the kinds of channels there are. */
export function readRoutes(text: string, types: ReadonlySet<string>): ReadRoutes | readonly Problem[] {
  if (text.length > MAX_CHARS)
    return [{ line: 1, text: `the file is longer than ${MAX_CHARS} characters; split it up` }];
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, merge: true });
  if (document.errors.length > 0)
    return document.errors.map((error) => ({
      line: error.linePos?.[0].line ?? 1,
      text: `this is not YAML: ${(error.message.split(' at line')[0] ?? '').trim()}`,
    }));
  const problemAt = (path: Path, problem: string): Problem => ({
    line: lines.linePos(offsetOf(document, path)).line,
    text: path.length === 0 ? problem : `${toWords(path)} ${problem}`,
  });
  const value = toValue(document);
  if (value instanceof Error)
    return [{ line: 1, text: `this is not YAML that can be read: ${value.message}` }];
  const parsed = routesFileSchema.safeParse(value);
  if (!parsed.success) return parsed.error.issues.flatMap((issue) => toProblems(issue, problemAt));
  const problems = findProblems(parsed.data, types).map(({ path, text: problem }) =>
    problemAt(path, problem),
  );
  return problems.length > 0 ? byLine(problems) : { file: parsed.data, problemAt };
}

/** An alias may name nothing, or too much. */
function toValue(document: Document): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    return error instanceof Error ? error : new Error('it cannot be resolved');
  }
}

/** Problems as lines of text. */
export function formatProblems(problems: readonly Problem[], file: string): string {
  return byLine(problems)
    .map(({ line, text }) => `${file}:${line}: ${text}`)
    .join('\n');
}

function byLine(problems: readonly Problem[]): readonly Problem[] {
  return problems.toSorted((a, b) => a.line - b.line);
}

function toProblems(issue: z.core.$ZodIssue, problemAt: ReadRoutes['problemAt']): readonly Problem[] {
  if (issue.code !== 'unrecognized_keys') return [problemAt(issue.path, issue.message)];
  return issue.keys.map((key) => problemAt([...issue.path, key], 'is no key that is known here; remove it'));
}

interface Finding {
  readonly path: Path;
  readonly text: string;
}

/** What one place alone does not show: names that are missing, double or unknown, and routes that name nobody. */
function findProblems(file: RoutesFile, types: ReadonlySet<string>): readonly Finding[] {
  const channels = new Set(file.channels.map(({ name }) => name));
  const known: Known = {
    // A type's name alone is the channel that the environment's variables configure.
    channels: new Set([...channels, ...types]),
    intervals: new Set(file.time_intervals.map(({ name }) => name)),
  };
  return [
    ...findDouble(file.channels, 'channels'),
    ...findDouble(file.time_intervals, 'time_intervals'),
    ...file.channels.flatMap((channel, index) => [
      ...(types.has(channel.type)
        ? []
        : [
            {
              path: ['channels', index, 'type'],
              text: `is no type of channel; there are ${[...types].join(', ')}`,
            },
          ]),
      ...findUnknown(
        channel.quiet?.intervals,
        ['channels', index, 'quiet', 'intervals'],
        known.intervals,
        'interval',
      ),
    ]),
    ...file.routes.flatMap((route, index) => findInRoute(route, ['routes', index], known, false)),
    ...findDoubleRoutes(file.routes),
    ...findDouble(file.digests, 'digests'),
    ...file.digests.flatMap((digest, index) => [
      ...findUnknown(digest.channels, ['digests', index, 'channels'], known.channels, 'channel'),
      ...(digest.name === 'all' && digest.matchers.length > 0
        ? [
            {
              path: ['digests', index, 'matchers'],
              text: 'narrow the digest of everything; give it another name',
            },
          ]
        : []),
    ]),
  ];
}

/** A route's name tells what it escalated before, so no two have the same. */
function findDoubleRoutes(routes: readonly RouteInput[]): readonly Finding[] {
  const seen = new Set<string>();
  const look = (siblings: readonly RouteInput[], path: Path): readonly Finding[] =>
    siblings.flatMap(({ name, routes: children }, index) => {
      const here = [...path, index];
      const isDouble = name !== undefined && seen.has(name);
      if (name !== undefined) seen.add(name);
      return [
        ...(isDouble
          ? [{ path: [...here, 'name'], text: `"${name}" is there twice; give each a name of its own` }]
          : []),
        ...look(children, [...here, 'routes']),
      ];
    });
  return look(routes, ['routes']);
}

interface Known {
  readonly channels: ReadonlySet<string>;
  readonly intervals: ReadonlySet<string>;
}

function findInRoute(route: RouteInput, path: Path, known: Known, inherits: boolean): readonly Finding[] {
  const named = inherits || route.channels !== undefined;
  return [
    ...(named
      ? []
      : [{ path, text: 'names no channels; add channels: [name], or channels: [] to tell nobody' }]),
    ...findUnknown(route.channels, [...path, 'channels'], known.channels, 'channel'),
    ...findUnknown(route.fallback, [...path, 'fallback'], known.channels, 'channel'),
    ...findUnknown(route.escalate?.channels, [...path, 'escalate', 'channels'], known.channels, 'channel'),
    ...(['active_time_intervals', 'mute_time_intervals'] as const).flatMap((key) =>
      findUnknown(route[key], [...path, key], known.intervals, 'interval'),
    ),
    ...route.routes.flatMap((child, index) => findInRoute(child, [...path, 'routes', index], known, true)),
  ];
}

function findUnknown(
  names: readonly string[] | undefined,
  path: Path,
  known: ReadonlySet<string>,
  what: string,
): readonly Finding[] {
  return (names ?? []).flatMap((name, index) =>
    known.has(name)
      ? []
      : [
          {
            path: [...path, index],
            text: `names the ${what} "${name}", which is not in this file; there are ${[...known].join(', ') || 'none'}`,
          },
        ],
  );
}

function findDouble(entries: ReadonlyArray<{ readonly name: string }>, key: string): readonly Finding[] {
  return entries.flatMap(({ name }, index) =>
    entries.findIndex((entry) => entry.name === name) === index
      ? []
      : [{ path: [key, index, 'name'], text: `"${name}" is there twice; give each a name of its own` }],
  );
}

/** `routes[2].routes[0].channels[1]`. */
function toWords(path: Path): string {
  return path
    .map((key, index) => (typeof key === 'number' ? `[${key}]` : `${index === 0 ? '' : '.'}${String(key)}`))
    .join('');
}

/** The place of a key or entry; of the nearest thing around it when it is not there. */
function offsetOf(document: Document, path: Path): number {
  let node: unknown = document.contents;
  let offset = 0;
  for (const key of [...path, null]) {
    const resolved = isAlias(node) ? node.resolve(document) : node;
    offset = (node as Node | null)?.range?.[0] ?? offset;
    if (key === null) break;
    if (isSeq(resolved)) node = resolved.items[Number(key)];
    else if (isMap(resolved)) {
      const pair = resolved.items.find((item) => isScalar(item.key) && item.key.value === key);
      if (pair === undefined) break;
      offset = (pair.key as Node).range?.[0] ?? offset;
      if (pair.value === null) break;
      node = pair.value;
    } else break;
    if (node === undefined || node === null) break;
  }
  return offset;
}
