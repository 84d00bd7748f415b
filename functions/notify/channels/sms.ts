/** SMS by Twilio: one phone, plain GSM letters, at most three segments, and worthless after a quarter of an hour. */
import * as z from 'zod';

import {
  readConfig,
  sendResolvedVariable,
  serverVariable,
  wordVariable,
  type Channel,
  type ChannelDefinition,
} from '../channel.ts';
import type { Message } from '../message.ts';
import { callProvider } from '../provider.ts';

/**
 * https://www.twilio.com/docs/glossary/what-is-gsm-7-character-encoding: three concatenated segments of 153 septets.
 * Twilio takes 1,600 characters (error 21617), but every segment is paid for.
 */
const SEPTETS = 459;
/** Characters of the basic set's extension; each takes two septets. */
const EXTENDED = /[\^{}\\[~\]|]/g;
/** https://www.twilio.com/docs/messaging/api/message-resource: seconds after which a queued message is not sent. */
const VALIDITY_S = 900;
/** Signs of ours that have a plain spelling; every other one is left out. */
const SPELLINGS: ReadonlyMap<string, string> = new Map([
  ['·', '-'],
  ['•', '*'],
  ['×', 'x'],
  ['…', '...'],
  ['–', '-'],
  ['—', '-'],
  ['‘', "'"],
  ['’', "'"],
  ['“', '"'],
  ['”', '"'],
  // An ASCII character outside the GSM alphabet: one of them would halve what fits.
  ['`', "'"],
]);

const smsEnvSchema = z.object({
  SMS_ACCOUNT_SID: z
    .string({ error: 'SMS_ACCOUNT_SID is missing, for example the AC… of a Twilio account' })
    .regex(/^AC[0-9a-f]{32}$/, { error: 'SMS_ACCOUNT_SID is not AC and 32 hexadecimal digits' }),
  SMS_AUTH_TOKEN: wordVariable('SMS_AUTH_TOKEN', 'the-auth-token-of-the-account'),
  SMS_FROM: z
    .string({ error: 'SMS_FROM is missing, for example SMS_FROM=+15005550006' })
    .regex(/^(\+[1-9]\d{6,14}|MG[0-9a-f]{32}|[A-Za-z0-9 ]{1,11})$/, {
      error:
        'SMS_FROM is neither a number, a messaging service nor a sender name, for example SMS_FROM=+15005550006',
    }),
  SMS_TO: z
    .string({ error: 'SMS_TO is missing, for example SMS_TO=+447700900123' })
    .regex(/^\+[1-9]\d{6,14}$/, {
      error: 'SMS_TO is not one number with its country, for example SMS_TO=+447700900123',
    }),
  SMS_URL: serverVariable('SMS_URL', 'https://api.twilio.com').default('https://api.twilio.com'),
  SMS_SEND_RESOLVED: sendResolvedVariable('SMS_SEND_RESOLVED'),
});
export type SmsConfig = z.output<typeof smsEnvSchema>;

/** The text: title, lines as far as they fit, and the page where one decides on a line of its own. */
export function toSms(message: Message): string {
  const page = message.button?.pageUrl ?? message.link;
  const last = page === null || countSeptets(page) > SEPTETS / 2 ? '' : `\n${page}`;
  return cut(toGsm(`${message.title}\n${message.body}`), SEPTETS - countSeptets(last)) + last;
}

/** How many septets a text of ASCII letters takes. */
export function countSeptets(text: string): number {
  return text.length + (text.match(EXTENDED)?.length ?? 0);
}

function toGsm(text: string): string {
  return text
    .replaceAll(/[^\n\x20-\x5f\x61-\x7e]/gu, (char) => SPELLINGS.get(char) ?? char.normalize('NFKD'))
    .replaceAll(/[^\n\x20-\x5f\x61-\x7e]/gu, '')
    .split('\n')
    .map((line) => line.replaceAll(/ {2,}/g, ' ').trim())
    .filter((line) => line !== '')
    .join('\n');
}

function cut(text: string, septets: number): string {
  if (countSeptets(text) <= septets) return text;
  let end = 0;
  for (let used = 3; end < text.length; end += 1) {
    used += countSeptets(text.charAt(end));
    if (used > septets) break;
  }
  // Half an address is a wrong address.
  const kept = /\S/.test(text.charAt(end))
    ? text.slice(0, end).replace(/https?:\/\/\S*$/, '')
    : text.slice(0, end);
  return `${kept.trimEnd()}...`;
}

/** A channel that texts one phone. */
export function createSms(config: SmsConfig, name = 'sms'): Channel {
  const sender = config.SMS_FROM.startsWith('MG') ? 'MessagingServiceSid' : 'From';
  const pair = Buffer.from(`${config.SMS_ACCOUNT_SID}:${config.SMS_AUTH_TOKEN}`).toString('base64');
  return {
    name,
    type: 'sms',
    sendResolved: config.SMS_SEND_RESOLVED,
    closes: false,
    keyed: false,
    send: (message, { signal }) =>
      callProvider({
        channel: name,
        url: `${config.SMS_URL}/2010-04-01/Accounts/${config.SMS_ACCOUNT_SID}/Messages.json`,
        headers: { 'content-type': 'application/x-www-form-urlencoded', authorization: `Basic ${pair}` },
        body: new URLSearchParams({
          To: config.SMS_TO,
          [sender]: config.SMS_FROM,
          ValidityPeriod: String(VALIDITY_S),
          Body: toSms(message),
        }).toString(),
        signal,
        // https://www.twilio.com/docs/api/errors: 21xxx come with a 400 and stay.
        retries: (status) => status === 408 || status === 429 || status >= 500,
        accepted,
        codeOf: (body) => z.object({ code: z.number() }).safeParse(body).data?.code,
      }),
  };
}

/** 201 with the message's id; an `error_code` beside it says that it was refused all the same. */
function accepted(body: unknown): string | undefined {
  const parsed = z.object({ sid: z.string().min(1), error_code: z.null().optional() }).safeParse(body);
  return parsed.success ? parsed.data.sid : undefined;
}

export const sms: ChannelDefinition<SmsConfig> = {
  type: 'sms',
  keyed: false,
  facts: {
    title: 'SMS (Twilio)',
    docs: 'https://www.twilio.com/docs/messaging/api/message-resource',
    limits: `${SEPTETS} GSM characters (three segments)`,
    rate: '1 segment a second per long number',
    loudness: 'as the phone is set',
    button: 'link',
    closes: null,
    updates: null,
    collapses: null,
  },
  variables: Object.keys(smsEnvSchema.shape),
  fromEnv: (env) => readConfig(env, smsEnvSchema),
  create: createSms,
  preview: (message) => ({ Body: toSms(message) }),
};
