/**
 * A digest as it is stored and rendered: a verdict, then sections of lines. Every text in it was composed by code from
 * facts (or, where `ai` says so, by a model and verified); renderers only cut, escape and lay out. No text is markup.
 */
import * as z from 'zod';
import { SEVERITIES } from '../severity.ts';

const lineSchema = z.object({
  text: z.string(),
  /** Only set where the line is about alerts of one severity. */
  severity: z.enum(SEVERITIES).optional(),
  /** "Immediate", "Today", "This week": when to act. */
  when: z.enum(['Immediate', 'Today', 'This week']).optional(),
  link: z.object({ label: z.string(), url: z.string() }).optional(),
  /** The note's id, by which people rate it. */
  note: z.string().optional(),
  /** Written by a model; facts never are. */
  ai: z.boolean().optional(),
});

const sectionSchema = z.object({
  id: z.string(),
  emoji: z.string(),
  title: z.string(),
  /** Empty shows as "None". */
  lines: z.array(lineSchema),
});

/** How bad the night was: something critical fires, something fires, something was critical, nothing needs anybody, nothing came. */
export const LEVELS = ['urgent', 'attention', 'look', 'calm', 'silent'] as const;

export const documentSchema = z.object({
  version: z.literal(1),
  /** Whose digest it is; null for everybody's. */
  name: z.string().nullable(),
  title: z.string(),
  /** The windows, as people read them. */
  span: z.string(),
  level: z.enum(LEVELS),
  verdict: z.string(),
  /** One line of numbers. */
  numbers: z.string(),
  sections: z.array(sectionSchema),
  /** What is not shown, each named. */
  cuts: z.array(z.string()),
  /** Who wrote the notes: a model's name, or null for rules alone. */
  model: z.string().nullable(),
});

export type DigestDocument = z.infer<typeof documentSchema>;
export type Section = DigestDocument['sections'][number];
export type Line = Section['lines'][number];
export type Level = (typeof LEVELS)[number];

export const LEVEL_EMOJI = {
  urgent: '🔴',
  attention: '🟠',
  look: '🟡',
  calm: '🟢',
  silent: '🟢',
} as const satisfies Record<Level, string>;

export const SEVERITY_EMOJI = {
  critical: '🔴',
  warning: '🟠',
  unknown: '🟠',
  info: '🔵',
  none: '⚪',
} as const satisfies Record<(typeof SEVERITIES)[number], string>;
