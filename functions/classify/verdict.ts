/**
 * What a model's answer must be before anybody sees it. Pure.
 *
 * Its invariant: an answer that passes names nothing and counts nothing that the facts do not, links nowhere, and tells
 * nobody to do less. It is shown as a suggestion; category, severity and next step of the rules stay what they are.
 */
import * as z from 'zod';
import type { ExplanationContent } from '../../shared/postgres/explanations.ts';
import { normalizeText } from '../../shared/prompt-text.ts';
import { compareSeverity } from '../../shared/severity.ts';
import type { Severity } from '../../shared/severity.ts';
import { CATEGORIES } from './rules.ts';

/** The shape that the model is held to while it writes, and checked by afterwards. */
export const answerSchema = z.strictObject({
  category: z.enum(CATEGORIES),
  suggestedSeverity: z.enum(['critical', 'warning', 'info']),
  summary: z.string().min(3).max(240),
  explanation: z.string().min(3).max(700),
  nextStep: z.string().min(3).max(300),
  confidence: z.number().min(0).max(1),
});
export type ModelVerdict = z.infer<typeof answerSchema>;

/** Addresses and markup of any kind; a mention is one, too. */
const LINK =
  /:\/\/|\bwww\.|\]\s?\(|\[[^\]]*\]:|<[a-z!/@#&]|&[a-z#0-9]+;|\{\{|\$\{|[@#](?:here|channel|everyone|all)\b|\b(?:javascript|data|mailto|tel|file|intent):\S|\b[\w-]+(?:\.[\w-]+)*\.(?:com|net|org|io|dev|app|xyz|ru|cn|info|biz|me|co|example|local|zip|link|click|top|site)\b/i;
/** Advice to do less, or to do harm. */
const FORBIDDEN =
  /\b(?:ignor\w*|silenc\w*|suppress\w*|mut(?:e|ed|ing)|dismiss\w*|snooz\w*|acknowledg\w*|unsubscrib\w*|disabl\w*|turn(?:ed|ing)? off|switch(?:ed|ing)? off|delet\w*|destroy\w*|drop(?:ping)? (?:the )?(?:table|database|index|volume)|truncate|format(?:ting)? (?:the )?(?:disk|drive)|wipe|uninstall\w*|chmod|sudo|curl|wget|base64|eval|exec|force|no action|nothing to do|not? (?:a )?(?:real|concern\w*|urgent|important|problem)|false (?:alarm|positive)|safe(?:ly)? to|harmless|benign|all clear|already (?:fixed|resolved)|resolved|downgrad\w*|lower(?:ing)? (?:the )?(?:severity|priority))\b|\brm\s+-/i;

/** Words with capitals inside or in front that are no names of anybody's things. */
const COMMON_NAMES: ReadonlySet<string> = new Set(
  `kubernetes prometheus grafana loki alertmanager linux docker helm kubelet kubectl deployment deployments statefulset
  statefulsets daemonset daemonsets replicaset replicasets configmap configmaps secret secrets pod pods node nodes service
  services ingress job jobs cronjob cronjobs namespace namespaces persistentvolume persistentvolumes persistentvolumeclaim
  persistentvolumeclaims i the a an this it if when`
    .split(/\s+/)
    .filter((word) => word !== ''),
);
/** Hyphens of plain language. */
const COMMON_HYPHENS =
  /^(?:out-of-(?:memory|disk|space|date|sync)|read-only|back-off|roll-?out|long-running|follow-up|up-to-date|on-call|root-cause|self-signed|end-to-end|load-balanc\w+|rate-limit\w*|health-check\w*|re-?(?:start|try|check|connect)\w*|non-\w+|time-out|high-\w+|low-\w+|well-known|in-memory|per-\w+|under-\w+|over-\w+|misconfigur\w+)$/;

const COMMON_PAIRS: ReadonlySet<string> = new Set(
  'and or cpu memory ram disk network read write input output start stop in out i o requests limits'.split(
    ' ',
  ),
);

const TOKEN = /[\p{L}\p{N}](?:[\p{L}\p{N}_.:/@-]*[\p{L}\p{N}])?/gu;

/** What is wrong with an answer, for the model to repair; null when nothing is. `facts` is what it was given. */
export function findProblem(answer: ModelVerdict, facts: string): string | null {
  const known = facts.toLowerCase();
  const numbers = new Set(facts.match(/\d+(?:[.,]\d+)*/g));
  for (const field of ['summary', 'explanation', 'nextStep'] as const) {
    const text = normalizeText(answer[field], 1_000);
    if (LINK.test(text)) return `${field} holds a link or markup`;
    const forbidden = FORBIDDEN.exec(text)?.[0];
    if (forbidden !== undefined) return `${field} says "${forbidden}", which is not yours to say`;
    const invented = findInvented(text, known, numbers);
    if (invented !== undefined) return `${field} names "${invented.slice(0, 60)}", which is not in the facts`;
  }
  return null;
}

/** The answer as it is stored and shown: one line each, and a severity only when it is louder than the alert's own. */
export function toContent(answer: ModelVerdict, severity: Severity): ExplanationContent {
  return {
    category: answer.category,
    suggestedSeverity:
      compareSeverity(answer.suggestedSeverity, severity) < 0 ? answer.suggestedSeverity : null,
    summary: normalizeText(answer.summary, 160),
    explanation: normalizeText(answer.explanation, 500),
    nextStep: normalizeText(answer.nextStep, 240),
    confidence: answer.confidence,
  };
}

/** The first number or name that the facts do not have. */
function findInvented(text: string, known: string, numbers: ReadonlySet<string>): string | undefined {
  for (const match of text.matchAll(TOKEN)) {
    const [token] = match;
    for (const [number] of token.matchAll(/\d+(?:[.,]\d+)*/g)) if (!numbers.has(number)) return token;
    if (!isNameLike(token, startsSentence(text, match.index)) || isKnown(token.toLowerCase(), known))
      continue;
    return token;
  }
  return undefined;
}

/** Digits, signs inside, a capital inside, or a capital in the middle of a sentence make a name. */
function isNameLike(token: string, isFirst: boolean): boolean {
  if (/^\p{Lu}{1,5}s?$/u.test(token)) return false;
  if (/[\p{N}_.:/@-]/u.test(token)) return true;
  if (/\p{L}\p{Lu}/u.test(token)) return true;
  // Scripts without capitals, and letters that only look like Latin ones, are never what our facts are written in.
  if (/[^\p{Script=Latin}]/u.test(token)) return true;
  return !isFirst && /^\p{Lu}/u.test(token);
}

function isKnown(token: string, known: string): boolean {
  if (COMMON_NAMES.has(token) || COMMON_HYPHENS.test(token)) return true;
  if (token === 'e.g' || token === 'i.e') return true;
  const at = known.indexOf(token);
  if (at >= 0) return true;
  // `CPU/memory` and `and/or` are words beside each other, not a path.
  return token.split('/').every((part) => COMMON_PAIRS.has(part));
}

function startsSentence(text: string, at: number): boolean {
  return at === 0 || /[.!?:;]\s*["'(]?$/.test(text.slice(Math.max(0, at - 4), at));
}
