/**
 * E-mail over SMTP: text first, the same as simple HTML beside it. Mails of one incident are one thread, and a repeated
 * attempt has the Message-ID of the first, which many mail programs show once.
 */
import { Readable } from 'node:stream';
import * as z from 'zod';

import { DeliveryError } from '../../../shared/errors.ts';
import {
  readConfig,
  sendResolvedVariable,
  type Channel,
  type ChannelDefinition,
  type Sent,
} from '../channel.ts';
import { toDigestMail } from '../digest-mail.ts';
import { toLinks, toProse, type Link } from '../links.ts';
import type { Message, Priority } from '../message.ts';
import { truncateBytes, truncateRunes } from '../text.ts';

/** https://www.rfc-editor.org/rfc/rfc5322#section-2.1.1 limits lines, not subjects; ours, for what a list shows. */
const SUBJECT_CHARS = 200;
/** None is documented; ours. */
const TEXT_BYTES = 32_768;
/** https://www.rfc-editor.org/rfc/rfc2156#section-5.3.6 (Importance), as mail programs understand it. */
const IMPORTANCE = { high: 'high', normal: 'normal', low: 'low', silent: 'low' } as const satisfies Record<
  Priority,
  string
>;
const PORTS = { starttls: 587, tls: 465, none: 25 } as const;
const ADDRESS = /^[^\s<>@,;:"\\]+@[^\s<>@,;:"\\]+$/;

const emailEnvSchema = z
  .object({
    EMAIL_HOST: z
      .string({ error: 'EMAIL_HOST is missing, for example EMAIL_HOST=smtp.example.org' })
      .regex(/^[\w.:-]+$/, {
        error: 'EMAIL_HOST is not a host name, for example EMAIL_HOST=smtp.example.org',
      }),
    EMAIL_PORT: z
      .string()
      .regex(/^\d{1,5}$/, { error: 'EMAIL_PORT is not a number, for example EMAIL_PORT=587' })
      .optional(),
    EMAIL_SECURITY: z
      .enum(['starttls', 'tls', 'none'], {
        error: 'EMAIL_SECURITY is not starttls, tls or none, for example EMAIL_SECURITY=starttls',
      })
      .default('starttls'),
    EMAIL_USER: z.string().optional(),
    EMAIL_PASSWORD: z.string().optional(),
    EMAIL_FROM: z
      .string({ error: 'EMAIL_FROM is missing, for example EMAIL_FROM=alerts@example.org' })
      .regex(ADDRESS, { error: 'EMAIL_FROM is not an address, for example EMAIL_FROM=alerts@example.org' }),
    EMAIL_TO: z
      .string({ error: 'EMAIL_TO is missing, for example EMAIL_TO=ops@example.org,oncall@example.org' })
      .transform((text) => text.split(',').map((address) => address.trim()))
      .refine((addresses) => addresses.every((address) => ADDRESS.test(address)), {
        error: 'EMAIL_TO is not a list of addresses, for example EMAIL_TO=ops@example.org,oncall@example.org',
      }),
    EMAIL_SEND_RESOLVED: sendResolvedVariable('EMAIL_SEND_RESOLVED'),
  })
  .refine((env) => (env.EMAIL_USER === undefined) === (env.EMAIL_PASSWORD === undefined), {
    error: 'EMAIL_USER and EMAIL_PASSWORD belong together, for example EMAIL_USER=alerts EMAIL_PASSWORD=…',
    when: () => true,
  });
export type EmailConfig = z.output<typeof emailEnvSchema>;

/** The mail's own part; addresses, ids and dates are the sender's. */
export function toEmail(message: Message) {
  const links = toLinks(message);
  const text = truncateBytes(toProse(message), TEXT_BYTES);
  const parts = {
    text: [text, ...links.map(({ label, url }) => `${label}\n${url}`)].join('\n\n'),
    html: toHtml(message.title, text, links),
  };
  return {
    subject: truncateRunes(message.title, SUBJECT_CHARS),
    ...(message.digest === undefined ? parts : toDigestMail(message.digest)),
    headers: {
      Importance: IMPORTANCE[message.priority],
      // https://www.rfc-editor.org/rfc/rfc3834: so that nobody's holiday notice answers.
      'Auto-Submitted': 'auto-generated',
    },
  };
}

function toHtml(title: string, text: string, links: readonly Link[]): string {
  const buttons = links.map(({ label, url }) => `<a href="${escape(url)}">${escape(label)}</a>`);
  return [
    '<!doctype html><html lang="en"><body style="font:16px/1.5 sans-serif">',
    `<p><strong>${escape(title)}</strong></p>`,
    `<p>${text.split('\n').map(escape).join('<br>\n')}</p>`,
    ...(buttons.length === 0 ? [] : [`<p>${buttons.join(' · ')}</p>`]),
    '</body></html>',
  ].join('\n');
}

function escape(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

/** A channel that mails to some addresses through one server. */
export function createEmail(config: EmailConfig, name = 'email'): Channel {
  const domain = config.EMAIL_FROM.slice(config.EMAIL_FROM.lastIndexOf('@') + 1);
  const idOf = (words: string): string => `<${words.replaceAll(/[^\w.-]/g, '-')}@${domain}>`;
  return {
    name,
    type: 'email',
    sendResolved: config.EMAIL_SEND_RESOLVED,
    closes: false,
    keyed: false,
    async send(message, { signal, previousId }) {
      const messageId = idOf(`${message.noticeKey}.${name}`);
      const incidentId = idOf(message.key);
      const raw = await compose({
        ...toEmail(message),
        from: config.EMAIL_FROM,
        to: config.EMAIL_TO,
        messageId,
        inReplyTo: previousId ?? incidentId,
        references: previousId === null ? incidentId : [incidentId, previousId],
      });
      return submit(config, name, { raw, messageId }, signal);
    },
  };
}

/** nodemailer is loaded with the first mail: most installations send none. */
async function compose(mail: object): Promise<Buffer> {
  const { default: MailComposer } = await import('nodemailer/lib/mail-composer');
  return new MailComposer(mail).compile().build();
}

/** One session for one mail. Whatever a server says may name people, so only its number gets into an error. */
async function submit(
  config: EmailConfig,
  name: string,
  { raw, messageId }: { readonly raw: Buffer; readonly messageId: string },
  signal: AbortSignal,
): Promise<Sent> {
  const { default: Connection } = await import('nodemailer/lib/smtp-connection');
  const security = config.EMAIL_SECURITY;
  const connection = new Connection({
    host: config.EMAIL_HOST,
    port: Number(config.EMAIL_PORT ?? PORTS[security]),
    secure: security === 'tls',
    requireTLS: security === 'starttls',
    ignoreTLS: security === 'none',
  });
  const { promise, resolve, reject } = Promise.withResolvers<Sent>();
  // Read to its end, the mail is with the server, which may deliver it even if nobody hears its yes.
  const body = Readable.from([raw]);
  let isHandedOver = false;
  body.on('end', () => (isHandedOver = true));
  const fail = (error: SmtpFailure): void => reject(toDeliveryError(name, error, isHandedOver));
  const onAbort = (): void => fail(new Error('no answer in time'));
  signal.addEventListener('abort', onAbort, { once: true });

  const send = (): void =>
    connection.send({ from: config.EMAIL_FROM, to: [...config.EMAIL_TO] }, body, (error, info) => {
      if (error !== null) return fail(error);
      const refused = info.rejected.length;
      resolve({
        providerId: messageId,
        ...(refused > 0 && { note: `${refused} of ${config.EMAIL_TO.length} addresses were refused` }),
      });
    });
  connection.on('error', fail);
  connection.connect((error?: SmtpFailure) => {
    if (error !== undefined) return fail(error);
    if (config.EMAIL_USER === undefined) return send();
    const credentials = { user: config.EMAIL_USER, pass: config.EMAIL_PASSWORD ?? '' };
    return connection.login({ credentials }, (refusal) => (refusal === null ? send() : fail(refusal)));
  });
  try {
    if (signal.aborted) onAbort();
    return await promise;
  } finally {
    signal.removeEventListener('abort', onAbort);
    connection.close();
  }
}

type SmtpFailure = Error & {
  /** nodemailer's own word for what broke, such as `ETLS`. */
  readonly code?: unknown;
  readonly responseCode?: number | undefined;
  readonly command?: string | undefined;
};

/** https://www.rfc-editor.org/rfc/rfc5321#section-4.2.1: 4yz may pass, 5yz stays; no answer to the mail itself is unknown. */
function toDeliveryError(name: string, error: SmtpFailure, isHandedOver: boolean): DeliveryError {
  const code = error.responseCode;
  if (code !== undefined && code >= 400)
    return new DeliveryError(
      code < 500 ? 'delivery-retryable' : 'delivery-permanent',
      `${name} answered ${code} to ${error.command ?? 'the connection'}`,
    );
  const why = isHandedOver ? 'the server did not confirm the mail' : 'no mail was handed over';
  const what = typeof error.code === 'string' && /^E[A-Z]{2,20}$/.test(error.code) ? ` (${error.code})` : '';
  return new DeliveryError('delivery-retryable', `${name}: ${why}${what}`, { outcomeUnknown: isHandedOver });
}

export const email: ChannelDefinition<EmailConfig> = {
  type: 'email',
  keyed: false,
  facts: {
    title: 'E-mail (SMTP)',
    docs: 'https://www.rfc-editor.org/rfc/rfc5321',
    limits: `subject ${SUBJECT_CHARS} characters, text ${TEXT_BYTES} bytes`,
    rate: 'as the server allows',
    loudness: 'importance high / normal / low',
    button: 'link',
    closes: null,
    updates: null,
    collapses: null,
  },
  variables: Object.keys(emailEnvSchema.shape),
  fromEnv: (env) => readConfig(env, emailEnvSchema),
  create: createEmail,
  preview: toEmail,
};
