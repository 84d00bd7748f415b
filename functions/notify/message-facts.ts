/** The facts behind a message for machines: the input with its texts sanitised and bounded, and the words to filter on. */
import { toExplainedFacts } from './explanation-lines.ts';
import type { MessageFacts, MessageInput } from './message.ts';
import { inert, plain, safeLink } from './text.ts';

const TEXT_CHARS = 4_000;
const SENTENCE_CHARS = 500;
const NAME_CHARS = 200;
const MAX_ITEMS = 50;

/** Sanitises and bounds what machines get; addresses inside texts stay as they were. */
export function toFacts(input: MessageInput): MessageFacts {
  return {
    kind: input.kind,
    why: plain(input.why, SENTENCE_CHARS),
    alertname: plain(input.alertname, NAME_CHARS),
    severity: input.severity,
    namespace: plainOrNull(input.namespace, NAME_CHARS),
    cluster: plain(input.cluster, NAME_CHARS),
    identity: plain(input.identity, NAME_CHARS),
    category: plainOrNull(input.category, NAME_CHARS),
    nextStep: plainOrNull(input.nextStep, SENTENCE_CHARS),
    runbookUrl: safeLink(input.runbookUrl, input.allowedHosts),
    summary: plain(input.summary, TEXT_CHARS),
    description: plain(input.description, TEXT_CHARS),
    startedAt: isoOrNull(input.startedAt),
    endedAt: isoOrNull(input.endedAt),
    openEpisodes: input.openEpisodes,
    episodes: input.episodes,
    samples: plainItems(input.samples, NAME_CHARS),
    incidentKey: input.incidentKey,
    missing: plainItems(input.missing, NAME_CHARS),
    possiblyRepeated: input.possiblyRepeated,
    quiet: input.quiet,
    ...(input.explained ? { explained: toExplainedFacts(input.explained) } : {}),
    batch: input.batch && {
      title: plain(input.batch.title, NAME_CHARS),
      count: input.batch.count,
      lines: plainItems(input.batch.lines, SENTENCE_CHARS),
    },
  };
}

/** `name=value` words, shown to people; the form keeps ntfy from reading a severity called `warning` as an emoji. */
export function toTags(facts: MessageFacts): readonly string[] {
  const pairs = {
    severity: facts.severity,
    kind: facts.kind,
    category: facts.category,
    namespace: facts.namespace,
    cluster: facts.cluster,
  };
  return Object.entries(pairs)
    .filter(([, value]) => value !== null && value !== '')
    .map(([name, value]) => inert(`${name}=${value}`, TEXT_CHARS).replaceAll(/[\s,]+/g, '-'));
}

function plainItems(items: readonly string[], maxChars: number): readonly string[] {
  return items.slice(0, MAX_ITEMS).map((item) => plain(item, maxChars));
}

function plainOrNull(text: string | null, maxChars: number): string | null {
  return text === null ? null : plain(text, maxChars);
}

function isoOrNull(time: Date | null): string | null {
  return time === null || Number.isNaN(time.getTime()) ? null : time.toISOString();
}
