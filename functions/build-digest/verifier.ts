/**
 * The lock behind the prompt: a sentence of a model is kept only when everything it says comes from facts of its own
 * group. Its words are of a list that can state nothing, and each fact it points at is named as evidence; what is left
 * to the model is which facts to show, in which order, with which advice. Pure; nothing here asks a model.
 */
import type { Fact, ModelNotes, Subject } from './prompt.ts';
import { NOTE_CHARS } from './prompt.ts';
import { CHANGE_WORDS, RISKY_WORDS, WORDS } from './vocabulary.ts';

export type DropReason =
  | 'unknown group'
  | 'unknown fact'
  | 'evidence and text differ'
  | 'another group'
  | 'number'
  | 'link'
  | 'name or word'
  | 'cause without evidence'
  | 'risky advice'
  | 'no fact'
  | 'too long';

export interface Drop {
  readonly group: string;
  readonly sentence: string;
  readonly reason: DropReason;
}

export interface KeptNote {
  readonly id: string;
  readonly group: string;
  /** With the facts filled in. */
  readonly text: string;
}

export interface Verified {
  readonly notes: readonly KeptNote[];
  readonly order: readonly string[];
  readonly drops: readonly Drop[];
  /** Sentences in all, kept and dropped. */
  readonly sentences: number;
}

const PLACEHOLDER = /\{([^{}]*)\}/g;
const NOTES_PER_GROUP = 2;
/** A dropped sentence is stored, not the flood around it. */
const STORED_CHARS = 200;

/** Keeps what can be kept. */
export function verify({ notes, order }: ModelNotes, subjects: readonly Subject[]): Verified {
  const known = new Map(subjects.map((subject) => [subject.group.id, subject]));
  const kept: KeptNote[] = [];
  const drops: Drop[] = [];
  let sentences = 0;
  for (const note of notes) {
    const subject = known.get(note.group);
    const parts = toSentences(note.text);
    sentences += Math.max(1, parts.length);
    const drop = (reason: DropReason, sentence = note.text): void => {
      drops.push({
        group: note.group.slice(0, 20),
        sentence: sentence.slice(0, STORED_CHARS).toWellFormed(),
        reason,
      });
    };
    const whole = subject === undefined ? 'unknown group' : judgeNote(note, subject);
    if (subject === undefined || whole !== null || parts.length === 0) {
      for (const part of parts.length === 0 ? [note.text] : parts) drop(whole ?? 'no fact', part);
      continue;
    }
    const good = parts.filter((part) => {
      const reason = judgeSentence(part, subject);
      if (reason !== null) drop(reason, part);
      return reason === null;
    });
    const place = kept.filter(({ group }) => group === note.group).length + 1;
    if (good.length > 0 && place <= NOTES_PER_GROUP)
      kept.push({
        id: `${note.group}.model-${place}`,
        group: note.group,
        text: good.map((part) => fill(part, subject.facts)).join(' '),
      });
  }
  return { notes: kept, order: [...new Set(order)].filter((id) => known.has(id)), drops, sentences };
}

/** The note as a whole: its length, and that it names as evidence exactly what it points at. */
function judgeNote(note: ModelNotes['notes'][number], { group, facts }: Subject): DropReason | null {
  if (note.text.length > NOTE_CHARS * 2) return 'too long';
  const used = new Set(Array.from(note.text.matchAll(PLACEHOLDER), ([, id = '']) => id));
  const named = new Set(note.evidence);
  for (const id of [...used, ...named]) {
    if (!id.startsWith(`${group.id}.`)) return 'another group';
    if (!facts.some((fact) => fact.id === id)) return 'unknown fact';
  }
  return used.size === named.size && [...used].every((id) => named.has(id))
    ? null
    : 'evidence and text differ';
}

function judgeSentence(sentence: string, { facts }: Subject): DropReason | null {
  const pointed = Array.from(sentence.matchAll(PLACEHOLDER), ([, id]) =>
    facts.find((fact) => fact.id === id),
  );
  if (pointed.length === 0) return 'no fact';
  const rest = sentence.replaceAll(PLACEHOLDER, ' ').normalize('NFKC').toLowerCase();
  if (/:\/\/|www\.|[`[\]<>@#]|\w\.\w/.test(rest)) return 'link';
  if (/[\p{N}%]/u.test(rest)) return 'number';
  const words = rest.split(/[\s,;:.!?()"'–—]+/u).filter((word) => word !== '');
  for (const [index, word] of words.entries()) {
    if (WORDS.has(word)) continue;
    if (CHANGE_WORDS.has(word)) {
      if (!pointed.some((fact) => fact?.isChange === true)) return 'cause without evidence';
    } else if (RISKY_WORDS.has(word)) {
      if (!words.slice(0, index).includes('consider')) return 'risky advice';
    } else return 'name or word';
  }
  return null;
}

/** Sentences end with a mark before white space; a fact's own marks stand in braces. */
function toSentences(text: string): string[] {
  return text
    .split(/(?<=[.!?])\s+/u)
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

function fill(sentence: string, facts: readonly Fact[]): string {
  return sentence.replaceAll(
    PLACEHOLDER,
    (_, id: string) => facts.find((fact) => fact.id === id)?.text ?? '',
  );
}
