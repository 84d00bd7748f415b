/**
 * Category, severity floor and next step of an alert, decided by words alone: no model, no network, always the same.
 *
 * An alert becomes a set of words, each remembered with the fields it stood in (name, expression, sentences, labels).
 * The table's rows are asked in order, first with the alert's name only, then with more and weaker fields, so that the
 * name outweighs a sentence and a sentence outweighs a label an exporter added. The alert's own text can choose a row,
 * never more: floors, steps and noise come from the table. Work is linear in the text, which is cut to fixed lengths.
 */
import type { Severity } from '../../shared/severity.ts';
import { FALLBACK_ROWS, NAMED_ROWS, SYMPTOM_ROWS, type RuleRow } from './rule-table.ts';
import { simplifyWord, splitWords } from './words.ts';

/** The kinds of trouble a person would sort alerts into. */
export const CATEGORIES = [
  'network',
  'vpn',
  'storage',
  'media',
  'node',
  'workload',
  'database',
  'queue',
  'application',
  'security',
  'backup',
  'business',
  'meta',
] as const;
export type Category = (typeof CATEGORIES)[number];

/** What the rules look at; the name is the label `alertname`. */
export interface RuleInput {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly expr?: string | undefined;
}

/** What the rules found; `severityFloor` only ever hints upwards. */
export interface Classification {
  readonly category: Category;
  readonly severityFloor: Severity | null;
  readonly likelyNoise: boolean;
  readonly nextStep: string;
  readonly runbookUrl: string | null;
  readonly rule: string;
}

const NAME = 1;
const EXPR = 2;
const SUMMARY = 4;
const DESCRIPTION = 8;
const SUBJECT = 16;
const LABEL_NAMES = 32;
const ALL = NAME | EXPR | SUMMARY | DESCRIPTION | SUBJECT | LABEL_NAMES;

const MAX_NAME_CHARS = 200;
const MAX_TEXT_CHARS = 2_000;
const MAX_LABELS = 40;
const MAX_LABEL_CHARS = 120;
const MAX_RUNBOOK_URL_CHARS = 512;

const DEFAULT_NEXT_STEP =
  'Read the summary and the newest log lines of the service named in the labels, and check what changed just before.';

/** Labels that name what an alert is about; `pod`, `instance` and the like only name where it was seen. */
const SUBJECT_LABELS =
  'job service app component container integration persistentvolumeclaim mountpoint category'.split(' ');

/** Which next-step word is replaced by which label, when its value is safe to paste into a shell. */
const PLACEHOLDERS: Readonly<Record<string, string>> = {
  NAMESPACE: 'namespace',
  POD: 'pod',
  NODE: 'node',
  CONTAINER: 'container',
  DEPLOYMENT: 'deployment',
  JOB: 'job_name',
  PVC: 'persistentvolumeclaim',
};
/** Kubernetes names; a leading dash would be read as an option. */
const SAFE_NAME = /^[a-z0-9][a-z0-9.-]{0,62}$/;

/** `!="x"` and `!~"x"` name what an expression is not about. */
const EXCLUDED_VALUES = /![=~]\s*"[^"]*"/g;

interface CompiledRow {
  readonly row: RuleRow;
  readonly title: number;
  readonly words: number;
  readonly and: number;
  readonly context: number;
  readonly not: number;
  /** The next step cut at its placeholders: text, label, text, label, text. */
  readonly step: readonly string[];
}

interface Entry {
  readonly lists: number[];
  /** Second words of phrases that begin with this word. */
  readonly next: Map<string, number[]>;
}

/** The word lists of all rows, turned around: from a word to the numbers of the lists that hold it. */
const vocabulary = new Map<string, Entry>();
let listCount = 0;
const namedRows = NAMED_ROWS.map(compileRow);
const symptomRows = SYMPTOM_ROWS.map(compileRow);
const fallbackRows = FALLBACK_ROWS.map(compileRow);

/** In which order rows meet fields; each pass sees all fields of the passes before it for the same rows. */
const PASSES = [
  { rows: namedRows, fields: NAME },
  { rows: namedRows, fields: NAME | EXPR },
  { rows: symptomRows, fields: NAME },
  { rows: namedRows, fields: NAME | EXPR | SUMMARY },
  { rows: symptomRows, fields: NAME | EXPR },
  { rows: symptomRows, fields: NAME | EXPR | SUMMARY },
  { rows: fallbackRows, fields: NAME },
  { rows: namedRows, fields: NAME | EXPR | SUMMARY | DESCRIPTION },
  { rows: namedRows, fields: NAME | EXPR | SUMMARY | DESCRIPTION | SUBJECT },
  { rows: symptomRows, fields: ALL },
  { rows: fallbackRows, fields: ALL },
] as const;

/** Classifies one alert by the rule table; pure, never throws. */
export function classifyByRules(alert: RuleInput): Classification {
  const seen = collectWords(alert);
  const found = findRow(seen);
  const runbookUrl = readRunbookUrl(alert.annotations);
  if (found === undefined) {
    return {
      category: 'application',
      severityFloor: null,
      likelyNoise: false,
      nextStep: DEFAULT_NEXT_STEP,
      runbookUrl,
      rule: 'default',
    };
  }
  return {
    category: found.row.category,
    severityFloor: found.row.floor,
    likelyNoise: found.row.likelyNoise ?? false,
    nextStep: fillStep(found.step, alert.labels),
    runbookUrl,
    rule: found.row.name,
  };
}

/** Whether a lower-case word is part of the table's vocabulary: such words say what is wrong, and nothing else. */
export function knowsWord(word: string): boolean {
  return vocabulary.has(word) || vocabulary.has(simplifyWord(word));
}

/** The expression a Prometheus generator URL carries in `g0.expr`, if the URL parses and has one. */
export function exprFromGeneratorUrl(url: string): string | undefined {
  if (typeof url !== 'string' || !URL.canParse(url)) return undefined;
  const expr = new URL(url).searchParams.get('g0.expr');
  return expr === null || expr === '' ? undefined : expr;
}

/** For every word list of the table: in which fields one of its words was seen. */
function collectWords(alert: RuleInput): Uint8Array {
  const seen = new Uint8Array(listCount);
  const { labels, annotations } = alert;
  markWords(readText(labels, 'alertname').slice(0, MAX_NAME_CHARS), NAME, seen);
  const expr = typeof alert.expr === 'string' ? alert.expr.slice(0, MAX_TEXT_CHARS) : '';
  markWords(expr.replace(EXCLUDED_VALUES, ''), EXPR, seen);
  const summary = readText(annotations, 'summary') || readText(annotations, 'title');
  markWords(summary.slice(0, MAX_TEXT_CHARS), SUMMARY, seen);
  const description = readText(annotations, 'description') || readText(annotations, 'message');
  markWords(description.slice(0, MAX_TEXT_CHARS), DESCRIPTION, seen);
  for (const name of SUBJECT_LABELS) {
    const value = readText(labels, name);
    if (value !== '') markWords(value.slice(0, MAX_LABEL_CHARS), SUBJECT, seen);
  }
  for (const name of Object.keys(labels).slice(0, MAX_LABELS)) {
    markWords(name.slice(0, MAX_LABEL_CHARS), LABEL_NAMES, seen);
  }
  return seen;
}

function findRow(seen: Uint8Array): CompiledRow | undefined {
  for (const { rows, fields } of PASSES) {
    for (const row of rows) {
      if (row.title >= 0 && (seen[row.title]! & NAME) === 0) continue;
      if (row.words >= 0 && (seen[row.words]! & fields) === 0) continue;
      if (row.and >= 0 && (seen[row.and]! & fields) === 0) continue;
      if (row.context >= 0 && seen[row.context] === 0) continue;
      if (row.not >= 0 && (seen[row.not]! & fields) !== 0) continue;
      return row;
    }
  }
  return undefined;
}

/** Marks every word list that knows a word of the text with the field the text is. */
function markWords(text: string, field: number, seen: Uint8Array): void {
  let previous: Entry | undefined;
  for (const word of splitWords(text)) previous = markWord(word, previous, field, seen);
}

/** Marks the lists of a word and of its simple form, alone and as the end of a phrase; gives back what it may begin. */
function markWord(
  word: string,
  previous: Entry | undefined,
  field: number,
  seen: Uint8Array,
): Entry | undefined {
  const simple = simplifyWord(word);
  const entry = vocabulary.get(word);
  const simpleEntry = simple === word ? undefined : vocabulary.get(simple);
  if (previous !== undefined && previous.next.size > 0) {
    markLists(previous.next.get(word), field, seen);
    if (simple !== word) markLists(previous.next.get(simple), field, seen);
  }
  markLists(entry?.lists, field, seen);
  markLists(simpleEntry?.lists, field, seen);
  return entry !== undefined && entry.next.size > 0 ? entry : (simpleEntry ?? entry);
}

function markLists(lists: readonly number[] | undefined, field: number, seen: Uint8Array): void {
  if (lists === undefined) return;
  for (const list of lists) seen[list]! |= field;
}

function compileRow(row: RuleRow): CompiledRow {
  return {
    row,
    title: compileList(row.title),
    words: compileList(row.words),
    and: compileList(row.and),
    context: compileList(row.context),
    not: compileList(row.not),
    step: row.nextStep.split(new RegExp(`\\b(${Object.keys(PLACEHOLDERS).join('|')})\\b`)),
  };
}

/** Enters the words under a new list number; -1 stands for a list the row does not have. */
function compileList(words: string | undefined): number {
  if (words === undefined) return -1;
  const list = listCount++;
  for (const word of new Set(words.split(' '))) {
    const dash = word.indexOf('-');
    if (dash < 0) {
      entryOf(word).lists.push(list);
      continue;
    }
    const first = word.slice(0, dash);
    const second = word.slice(dash + 1);
    entryOf(first + second).lists.push(list);
    const { next } = entryOf(first);
    next.set(second, [...(next.get(second) ?? []), list]);
  }
  return list;
}

function entryOf(word: string): Entry {
  let entry = vocabulary.get(word);
  if (entry === undefined) {
    entry = { lists: [], next: new Map() };
    vocabulary.set(word, entry);
  }
  return entry;
}

function fillStep(step: readonly string[], labels: RuleInput['labels']): string {
  if (step.length === 1) return step[0]!;
  return step
    .map((part, at) => {
      if (at % 2 === 0) return part;
      const value = readText(labels, PLACEHOLDERS[part]!);
      return SAFE_NAME.test(value) ? value : part;
    })
    .join('')
    .replaceAll(/\bon NODE\b/g, 'on the machine');
}

function readRunbookUrl(annotations: RuleInput['annotations']): string | null {
  return toRunbookUrl(readText(annotations, 'runbook_url')) ?? toRunbookUrl(readText(annotations, 'runbook'));
}

function toRunbookUrl(text: string): string | null {
  if (text.length > MAX_RUNBOOK_URL_CHARS || !/^https?:\/\/[^\s\\"'<>\p{Cc}]+$/iu.test(text)) return null;
  const url = URL.parse(text);
  return url === null || url.username !== '' || url.password !== '' ? null : text;
}

/** An own string property, or '': senders choose the keys, so `__proto__` and friends are ordinary names here. */
function readText(from: Readonly<Record<string, string>>, key: string): string {
  if (from === null || from === undefined || !Object.hasOwn(from, key)) return '';
  const value: unknown = from[key];
  return typeof value === 'string' ? value : '';
}
