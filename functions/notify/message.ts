/**
 * What every channel says, before any channel's limits: a title, some short lines and the facts behind them.
 *
 * The lines are ordered by how much a woken person needs them, because channels cut from the end.
 * Everything that came from an alert is sanitised here, once, so channels only cut and encode.
 */
import type { Severity } from '../../shared/severity.ts';
import { toDecidedLines } from './decided.ts';
import type { DigestForm } from './digest-message.ts';
import type { Decided } from './decided.ts';
import { toExplainedLines } from './explanation-lines.ts';
import type { Explained } from './explanation-lines.ts';
import { toFacts, toTags } from './message-facts.ts';
import { inert, safeLink } from './text.ts';
import { formatDuration, formatTime } from '../../shared/times.ts';

const TITLE_CHARS = 200;
const SUMMARY_CHARS = 200;
const DESCRIPTION_CHARS = 300;
const SENTENCE_CHARS = 240;
const NAME_CHARS = 100;
const SHOWN_SAMPLES = 5;
const SHOWN_BATCH_LINES = 15;

/** The kinds of news, as the notices table names them. */
export type NoticeKind = 'opened' | 'grew' | 'resolved' | 'due';

/** How loud a message is; `silent` appears without a sound. */
export type Priority = 'high' | 'normal' | 'low' | 'silent';

/** The way to decide right from the message. */
export interface DecisionButton {
  /** What it does, in a word or two: `Not concerning` or `Undo`. */
  readonly label: string;
  /** The page behind a tap; looking at it changes nothing. */
  readonly pageUrl: string;
  /** Where a button posts to, with the token in a header; null where only the page may be offered. */
  readonly act: { readonly url: string; readonly token: string } | null;
}

/** Everything a message is made of; texts from alerts may be hostile. */
export interface MessageInput {
  readonly kind: NoticeKind;
  /** Why it was sent, in one sentence. */
  readonly why: string;
  readonly alertname: string;
  readonly severity: Severity;
  readonly namespace: string | null;
  readonly cluster: string;
  /** Short words from the pattern, such as `production/api`. */
  readonly identity: string;
  readonly category: string | null;
  readonly nextStep: string | null;
  readonly runbookUrl: string | null;
  readonly summary: string;
  readonly description: string;
  readonly startedAt: Date;
  readonly endedAt: Date | null;
  readonly now: Date;
  readonly openEpisodes: number;
  readonly episodes: number;
  /** Affected resources. */
  readonly samples: readonly string[];
  /** `ag-…`: the same for every message of one incident. */
  readonly incidentKey: string;
  /** One key for each piece of news, the same on every attempt; computed when left out. */
  readonly noticeKey?: string | undefined;
  /** What was missing: `not classified`, `decision not checked` … */
  readonly missing: readonly string[];
  /** An earlier attempt may have arrived. */
  readonly possiblyRepeated: boolean;
  /** Push without sound. */
  readonly quiet: boolean;
  /** Set for the summary of a storm or of flapping. */
  readonly batch: null | {
    readonly title: string;
    readonly count: number;
    readonly lines: readonly string[];
  };
  /** Set for the message that tells of a decision. */
  readonly decided: Decided | null;
  /** What the model says; null or left out when nobody asked it. */
  readonly explained?: Explained | null;
  readonly button: DecisionButton | null;
  /** The issue's page in the console. */
  readonly link: string | null;
  /** Hosts that links of alerts may lead to; every host unless told. */
  readonly allowedHosts?: readonly string[] | undefined;
  /** IANA name for the times in the text; UTC unless told. */
  readonly timeZone?: string | undefined;
}

/** A message as channels take it; every text is sanitised, nothing is cut to a channel's limits yet. */
export interface Message {
  readonly kind: NoticeKind;
  readonly title: string;
  /** Plain text, several short lines, the most important first. */
  readonly body: string;
  readonly priority: Priority;
  readonly severity: Severity;
  readonly resolved: boolean;
  /** Tells of a decision that somebody made, not of the incident itself. */
  readonly isDecision: boolean;
  readonly link: string | null;
  readonly button: DecisionButton | null;
  readonly runbookUrl: string | null;
  /** The incident's key: collapses or updates earlier messages of the incident. */
  readonly key: string;
  /** The news' own key: tells a repeated attempt from a new message. */
  readonly noticeKey: string;
  /** `name=value` words to filter on. */
  readonly tags: readonly string[];
  /** The structured facts, for machines. */
  readonly facts: MessageFacts;
  /** Set for a digest: the whole of it, for channels that show long texts. */
  readonly digest?: DigestForm;
}

/** The facts of a message for machines: sanitised texts, times as ISO 8601 or null. */
export type MessageFacts = Omit<
  MessageInput,
  'startedAt' | 'endedAt' | 'now' | 'timeZone' | 'allowedHosts' | 'noticeKey' | 'link' | 'decided' | 'button'
> & {
  readonly startedAt: string | null;
  readonly endedAt: string | null;
};

const SEVERITY_LOOKS = {
  critical: { emoji: '🔴', word: 'Critical', priority: 'high' },
  warning: { emoji: '🟠', word: 'Warning', priority: 'normal' },
  info: { emoji: '🔵', word: 'Info', priority: 'low' },
  none: { emoji: '⚪', word: 'No severity', priority: 'low' },
  unknown: { emoji: '🟠', word: 'Unknown severity', priority: 'normal' },
} as const satisfies Record<Severity, { emoji: string; word: string; priority: Priority }>;

/** Writes the message for one piece of news. */
export function toMessage(input: MessageInput): Message {
  const facts = toFacts(input);
  const resolved = input.kind === 'resolved';
  const look = SEVERITY_LOOKS[input.severity];
  const lines = linesOf(input, facts);
  return {
    kind: input.kind,
    title: toTitle(input, input.decided === null ? (resolved ? '✅' : look.emoji) : '🔕'),
    body: lines.filter((line) => line !== null).join('\n'),
    priority: resolved || input.quiet ? 'silent' : look.priority,
    severity: input.severity,
    resolved,
    isDecision: input.decided !== null,
    link: safeLink(input.link),
    button: input.button,
    runbookUrl: facts.runbookUrl,
    key: input.incidentKey,
    noticeKey: input.noticeKey ?? `${input.incidentKey}-${input.kind}-${input.episodes}`,
    tags: toTags(facts),
    facts,
  };
}

function toTitle(input: MessageInput, emoji: string): string {
  if (input.batch !== null) return `${emoji} ${inert(input.batch.title, TITLE_CHARS)}`;
  const name = inert(input.alertname, NAME_CHARS) || 'Alert';
  const times = input.kind === 'grew' && input.openEpisodes > 1 ? ` ×${input.openEpisodes}` : '';
  const where = inert(input.identity || input.namespace || input.cluster, NAME_CHARS);
  return `${emoji} ${name}${times}${where === '' ? '' : ` · ${where}`}`;
}

function linesOf(input: MessageInput, facts: MessageFacts): readonly (string | null)[] {
  if (input.decided !== null)
    return [
      ...toDecidedLines(input.decided, input.now, input.timeZone ?? 'UTC', input.button !== null),
      toWhere(facts),
      ...toNotes(input),
    ];
  return input.batch === null ? incidentLines(input, facts) : batchLines(input, input.batch);
}

function incidentLines(input: MessageInput, facts: MessageFacts): readonly (string | null)[] {
  const resolved = input.kind === 'resolved';
  const summary = inert(input.summary, SUMMARY_CHARS);
  const description = inert(input.description, DESCRIPTION_CHARS);
  const explained = input.explained ?? null;
  return [
    toHeadline(input),
    toWhere(facts),
    summary || null,
    labelled('Why', input.why),
    resolved ? null : labelled(explained === null ? 'Next' : 'Next (rules)', nextStepOf(input, facts)),
    ...(resolved ? [] : toExplainedLines(explained)),
    ...toNotes(input),
    resolved ? null : toAffected(facts.samples, input.samples.length),
    // The address is sanitised as a link, not as text: it is meant to be tapped.
    resolved || facts.runbookUrl === null ? null : `Runbook: ${facts.runbookUrl}`,
    resolved || description === '' || description === summary ? null : description,
  ];
}

function batchLines(
  input: MessageInput,
  batch: NonNullable<MessageInput['batch']>,
): readonly (string | null)[] {
  const shown = batch.lines.slice(0, SHOWN_BATCH_LINES);
  const hidden = batch.count - shown.length;
  return [
    `${batch.count} in all · ${toSince(input)}`,
    labelled('Why', input.why),
    labelled('Next', input.nextStep ?? ''),
    ...toNotes(input),
    ...shown.map((line) => `• ${inert(line, SENTENCE_CHARS)}`),
    hidden > 0 ? `and ${hidden} more` : null,
  ];
}

function toHeadline(input: MessageInput): string {
  const { startedAt, endedAt, now } = input;
  const word = SEVERITY_LOOKS[input.severity].word;
  if (endedAt === null) {
    if (input.kind === 'resolved') return `Resolved · ${countOf(input.episodes)} · ${word}`;
    return `${word} · ${countOf(input.openEpisodes, input.episodes)} · ${toSince(input)}`;
  }
  const lasted = formatDuration(endedAt.getTime() - startedAt.getTime());
  const began = formatTime(startedAt, now, input.timeZone ?? 'UTC');
  if (input.kind === 'resolved')
    return `Resolved after ${lasted} · ${countOf(input.episodes)} · began ${began}`;
  return `${word} · already over: lasted ${lasted} · ${countOf(input.episodes)} · began ${began}`;
}

function toSince(input: MessageInput): string {
  const lasted = formatDuration(input.now.getTime() - input.startedAt.getTime());
  return `since ${formatTime(input.startedAt, input.now, input.timeZone ?? 'UTC')} (${lasted})`;
}

function countOf(count: number, all: number = count): string {
  const alerts = `${count} ${count === 1 ? 'alert' : 'alerts'}`;
  return all > count ? `${alerts} open, ${all} in all` : alerts;
}

function toWhere(facts: MessageFacts): string | null {
  const parts = [
    facts.namespace === null ? null : `namespace ${facts.namespace}`,
    facts.cluster === '' ? null : `cluster ${facts.cluster}`,
    facts.category,
  ].filter((part) => part !== null && part !== '');
  return parts.length === 0 ? null : inert(`Where: ${parts.join(' · ')}`, SENTENCE_CHARS);
}

function nextStepOf(input: MessageInput, facts: MessageFacts): string {
  if (input.nextStep !== null) return input.nextStep;
  if (facts.runbookUrl !== null) return 'follow the runbook';
  return input.link === null ? '' : 'open the issue for its history';
}

function toNotes(input: MessageInput): readonly (string | null)[] {
  return [
    labelled('Note', input.missing.join(', ')),
    input.possiblyRepeated ? 'Possibly repeated: an earlier attempt was not confirmed' : null,
  ];
}

function toAffected(samples: readonly string[], count: number): string | null {
  if (samples.length === 0) return null;
  const shown = samples.slice(0, SHOWN_SAMPLES).map((sample) => inert(sample, NAME_CHARS));
  const hidden = count - shown.length;
  return `Affected: ${shown.join(', ')}${hidden > 0 ? ` and ${hidden} more` : ''}`;
}

function labelled(label: string, text: string): string | null {
  const shown = inert(text, SENTENCE_CHARS);
  return shown === '' ? null : `${label}: ${shown}`;
}
