/** From claimed windows to a document: facts, then notes of a model where there is one, then the text. */
import type { CaptureWindowConfig } from '../../shared/capture-window-config.ts';
import { collectFacts } from '../../shared/digest/collect.ts';
import type { Wanted } from '../../shared/digest/collect.ts';
import type { DigestDocument } from '../../shared/digest/document.ts';
import type { ClusterContext, Lost, NightFacts } from '../../shared/digest/facts.ts';
import { toMarkdown } from '../../shared/digest/markdown.ts';
import { toDocument } from '../../shared/digest/sections.ts';
import type { ModelNote } from '../../shared/digest/sections.ts';
import { countOf, createClock } from '../../shared/digest/words.ts';
import { describeError } from '../../shared/log.ts';
import type { Logger } from '../../shared/log.ts';
import type { BuiltDigest } from '../../shared/postgres/digest-claims.ts';
import { countEpisodes } from '../../shared/postgres/episodes.ts';
import type { Pool } from '../../shared/postgres/pool.ts';

/** After so many failed builds the digest is told in one line rather than not at all. */
const PATIENCE = 3;

/** What a model added. */
export interface Writing {
  readonly notes: readonly ModelNote[];
  /** Groups in the order in which to look at them; it counts within a severity. */
  readonly order: readonly string[];
  /** What the model was not shown; null when it saw all. */
  readonly cut: string | null;
  readonly run: NonNullable<BuiltDigest['model']>;
}

export interface BuilderDeps {
  readonly pool: Pool;
  readonly calendar: CaptureWindowConfig;
  /** What the cluster says now; null when it is not to be asked. */
  readonly readCluster: ((since: Date, to: Date, signal: AbortSignal) => Promise<ClusterContext>) | null;
  /** Alerts that Prometheus saw and nobody sent. */
  readonly readMissed: (
    windows: Wanted['windows'],
    signal: AbortSignal,
  ) => Promise<Pick<Lost, 'missed' | 'missedWhy'>>;
  /** Asks the model; null when there is none. */
  readonly write: ((facts: NightFacts, signal: AbortSignal) => Promise<Writing>) | null;
}

export interface Built extends BuiltDigest {
  readonly document: DigestDocument;
  readonly episodes: number;
}

export type Builder = (
  wanted: Wanted & { readonly attempts: number },
  options: { readonly log: Logger | null; readonly signal: AbortSignal; readonly useModel: boolean },
) => Promise<Built>;

/** Creates the builder. */
export function createBuilder(deps: BuilderDeps): Builder {
  return async (wanted, { log, signal, useModel }) => {
    let facts: NightFacts;
    try {
      facts = await readFacts(deps, wanted, signal);
    } catch (error) {
      if (wanted.attempts < PATIENCE) throw error;
      log?.error(describeError(error), 'the digest is told in one line: its facts cannot be read');
      return oneLine(deps.pool, wanted);
    }
    const writing = useModel && deps.write !== null ? await tryToWrite(deps.write, facts, log, signal) : null;
    const document = toDocument({
      facts,
      notes: writing?.notes ?? [],
      order: writing?.order ?? [],
      cut: writing?.notes.length === 0 ? null : (writing?.cut ?? null),
      model: writing?.run.name ?? null,
    });
    const { counts, ...night } = facts;
    return {
      facts: { ...counts, night },
      document,
      text: toMarkdown(document),
      model: writing?.run ?? null,
      episodes: counts.episodes,
    };
  };
}

async function readFacts(deps: BuilderDeps, wanted: Wanted, signal: AbortSignal): Promise<NightFacts> {
  const { pool, calendar, readCluster, readMissed } = deps;
  const since = wanted.windows[0]?.start ?? new Date(0);
  const to = wanted.windows.at(-1)?.end ?? since;
  const [cluster, missed] = await Promise.all([
    readCluster === null ? null : readCluster(since, to, signal),
    readMissed(wanted.windows, signal),
  ]);
  return collectFacts(pool, wanted, calendar, { cluster, missed });
}

async function tryToWrite(
  write: NonNullable<BuilderDeps['write']>,
  facts: NightFacts,
  log: Logger | null,
  signal: AbortSignal,
): Promise<Writing | null> {
  try {
    return await write(facts, signal);
  } catch (error) {
    log?.error(describeError(error), 'the model wrote nothing; the digest stands without it');
    return null;
  }
}

/** The last rung: counts alone, and that something is wrong. */
async function oneLine(pool: Pool, { windows, zone, name }: Wanted): Promise<Built> {
  const start = windows[0]?.start ?? new Date(0);
  const end = windows.at(-1)?.end ?? new Date(0);
  const counts = await countEpisodes(pool, start, end);
  const clock = createClock(zone, end);
  const text = `The digest could not be built: ${countOf(counts.episodes, 'alert')}, ${counts.firing} still firing; see the console`;
  const document: DigestDocument = {
    version: 1,
    name: name === 'all' ? null : name,
    title: 'Overnight digest',
    span: `${clock.edge(start)} → ${clock.edge(end)} (${zone})`,
    level: counts.firing > 0 ? 'urgent' : 'look',
    verdict: text,
    numbers: `${countOf(counts.episodes, 'alert')}, ${counts.firing} still firing.`,
    sections: [],
    cuts: ['all sections: the facts could not be read'],
    model: null,
  };
  return { facts: counts, document, text: toMarkdown(document), model: null, episodes: counts.episodes };
}
