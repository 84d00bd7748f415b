/**
 * Text that makes regular expressions slow: long runs of one piece, with an end that makes them start again. Everything
 * that reads text of strangers is given all of them; none may take more than linear time.
 */
import { describe, expect, it } from 'vitest';
import { classifyByRules, exprFromGeneratorUrl } from '../../functions/classify/rules.ts';
import { toKnownWords } from '../../functions/classify/log-words.ts';
import { findOrigin, networkOf, parseNetworks } from '../../functions/console/network.ts';
import { readCookie } from '../../functions/console/form-guard.ts';
import { toName } from '../../functions/console/session.ts';
import { disarm } from '../../functions/notify/card-text.ts';
import { parseMatchers } from '../../shared/matchers.ts';
import { inert, plain, safeLink, truncateBytes } from '../../functions/notify/text.ts';
import { isAuthorized } from '../../functions/receive/credentials.ts';
import { normalizeAlert, parseTime } from '../../shared/alert.ts';
import { describeError } from '../../shared/log.ts';
import { toTemplates } from '../../shared/log-templates.ts';
import { toPattern } from '../../shared/pattern.ts';
import { maskSecrets, toSafeText } from '../../shared/prompt-text.ts';
import { BlockList } from 'node:net';

const SHORT = 4_096;
const LONG = 16_384;
/** Linear work takes four times as long for four times the text, quadratic work sixteen times. */
const LINEAR = 9;
/** Faster than this for the long text is fast enough, whatever the ratio. */
const FAST_MS = 120;

const PIECES = [
  'a',
  'A',
  '0',
  ' ',
  '-',
  '.',
  '/',
  ':',
  '=',
  '_',
  '"',
  '\\',
  '{',
  '(',
  ',',
  '@',
  '\n',
  '\t',
  '-a',
  'a-',
  'a0',
  '0-0',
  '. ',
  'a.',
  'a=',
  'a:',
  '//',
  'http://',
  'password=',
  'token ',
  'bearer ',
  'eyJ',
  '-----BEGIN PRIVATE KEY-----',
  '\u001b[',
  '\u0301',
  '1m',
  '2026-01-01T',
  'a@',
  '%',
  '[',
  '"a"=',
  'a="',
];
const ENDS = ['', '!', '\u0000', ' x', '\n', '"'];

const everyone = { tokens: ['t'.repeat(16)], basic: 'user:password', allowAnyone: false };
const alertOf = (text: string) => ({
  status: text,
  labels: { alertname: text.slice(0, 4_096), pod: text, instance: text, [text.slice(0, 256)]: text },
  annotations: { summary: text, description: text },
  startsAt: text,
});
const READERS: Readonly<Record<string, (text: string) => unknown>> = {
  'the webhook': (text) => normalizeAlert(alertOf(text), text, { receivedAt: new Date(0), cluster: 'c' }),
  'the pattern': (text) =>
    toPattern(
      {
        labels: { a: text, pod: text, instance: text, url: text, job_name: text, device: text, path: text },
        annotations: { summary: text },
      },
      { cluster: 'c' },
    ),
  'the pattern of a summary': (text) =>
    toPattern({ labels: { alertname: 'A' }, annotations: { summary: text } }, { cluster: 'c' }),
  'plain text': (text) => plain(text, 500),
  'inert text': (text) => inert(text, 500),
  'a cut text': (text) => truncateBytes(text, 3_000),
  'a link': (text) => safeLink(`https://${text}`),
  'a card': (text) => disarm(text),
  'secrets of a text': (text) => maskSecrets(text),
  'a text for the model': (text) => toSafeText(text, 200),
  'the rules': (text) =>
    classifyByRules({ labels: { alertname: text, a: text }, annotations: { summary: text } }),
  'an expression': (text) => exprFromGeneratorUrl(`http://p/graph?g0.expr=${text}`),
  'log lines': (text) => toTemplates([text, `${text}1`], 5),
  'known words': (text) => toKnownWords(text),
  'an Authorization header': (text) => isAuthorized(text, everyone),
  'a cookie header': (text) => readCookie(text, 'alertgest-session', true),
  'a list of hops': (text) => findOrigin('127.0.0.1', text, new BlockList()),
  'an address': (text) => networkOf(text),
  'a list of networks': (text) => parseNetworks(text),
  'a name': (text) => toName(text),
  'a time': (text) => parseTime(text),
  'an error': (text) => describeError(new Error(text)),
  'a matcher': (text) => {
    try {
      return parseMatchers(text);
    } catch {
      return null;
    }
  },
};

function timeMs(work: (text: string) => unknown, text: string): number {
  const startedAt = performance.now();
  work(text);
  return performance.now() - startedAt;
}

describe('text that never ends', () => {
  it.each(Object.entries(READERS))('is read by %s in linear time', { timeout: 60_000 }, (_what, work) => {
    const slow = PIECES.flatMap((piece) =>
      ENDS.flatMap((end) => {
        const make = (length: number): string => piece.repeat(Math.ceil(length / piece.length)) + end;
        const long = timeMs(work, make(LONG));
        if (long < FAST_MS) return [];
        // The best of three, because the machine does other things as well.
        const best = (length: number): number => Math.min(...[1, 2, 3].map(() => timeMs(work, make(length))));
        const ratio = best(LONG) / best(SHORT);
        return ratio > LINEAR && best(LONG) > FAST_MS
          ? [`${JSON.stringify(piece)} ${JSON.stringify(end)}: ${ratio.toFixed(1)}`]
          : [];
      }),
    );
    expect(slow).toEqual([]);
  });
});
