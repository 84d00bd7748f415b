/** What a channel is, and how its variables are read; retry, claim, mark and metrics live outside channels. */
import * as z from 'zod';

import { readVariable } from '../../shared/env.ts';
import { ConfigError } from '../../shared/errors.ts';
import type { Message } from './message.ts';

/** The variables of a process, as `process.env` has them. */
export type Env = Readonly<Record<string, string | undefined>>;

/** What surrounds one attempt to send. */
export interface Sending {
  readonly signal: AbortSignal;
  /** The provider's id of the last message of the same incident that this channel took; null before the first. */
  readonly previousId: string | null;
}

/** What a provider's yes came with. */
export interface Sent {
  /** The provider's id of the message, which a later message of the incident or an update is told of. */
  readonly providerId: string | null;
  /** What went wrong in spite of the yes, such as one refused address of several; absent when nothing did. */
  readonly note?: string;
}

/** One configured destination. */
export interface Channel {
  /** The name that routes, deliveries and logs use; the type's name unless a routes file gives another. */
  readonly name: string;
  readonly type: string;
  /** Whether this destination wants to hear that an incident is over. */
  readonly sendResolved: boolean;
  /** Whether a message opens something at the provider that only the incident's end may close. */
  readonly closes: boolean;
  /** Whether the provider collapses a second message with the incident's key. */
  readonly keyed: boolean;
  /** Sends one message; throws DeliveryError for everything but a clear yes. */
  send(message: Message, sending: Sending): Promise<Sent>;
  /** Changes a message that was sent, without a second push; absent where the provider cannot. */
  readonly update?: (providerId: string, message: Message, signal: AbortSignal) => Promise<void>;
}

/** What docs/channels.md says of a kind of channel; words are short enough for a table. */
export interface ChannelFacts {
  /** The name people know it by. */
  readonly title: string;
  /** The vendor's page that the limits were taken from. */
  readonly docs: string;
  readonly limits: string;
  /** How fast the vendor takes messages, as far as it says. */
  readonly rate: string;
  /** How loud a critical, a warning and the rest arrive. */
  readonly loudness: string;
  /** `acts`: a button that decides by itself; `link`: one that opens the page where one decides. */
  readonly button: 'acts' | 'link';
  /** What the end of an incident closes at the provider; null when a message opens nothing. */
  readonly closes: string | null;
  /** How a sent message is changed without a second push; null when it cannot be. */
  readonly updates: string | null;
  /** What makes the provider collapse a repeated message; null when nothing does. */
  readonly collapses: string | null;
}

/** One kind of channel, as `channels/index.ts` lists it. */
export interface ChannelDefinition<Config> {
  readonly type: string;
  readonly keyed: boolean;
  readonly facts: ChannelFacts;
  /** The names of all its variables. */
  readonly variables: readonly string[];
  /** The config, null when none of the channel's variables is set, ConfigError when they do not suffice. */
  fromEnv(env: Env): Config | null;
  /** A channel of this type; `name` tells several of one type apart. */
  create(config: Config, name?: string): Channel;
  /** What the provider would be sent, without the secrets; for a dry run. */
  preview(message: Message): object;
}

/** Reads one channel's variables; `<CHANNEL>_SEND_RESOLVED` alone does not ask for the channel. */
export function readConfig<Schema extends z.ZodObject>(env: Env, schema: Schema): z.output<Schema> | null {
  const given = Object.keys(schema.shape)
    .map((name) => [name, readVariable(env, name)?.trim()] as const)
    .filter(([, value]) => value !== undefined && value !== '');
  if (given.every(([name]) => name.endsWith('_SEND_RESOLVED'))) return null;
  const parsed = schema.safeParse(Object.fromEntries(given));
  // Every message below is written by us and names variable and example; a value never gets into it.
  if (!parsed.success) throw new ConfigError(parsed.error.issues.map((issue) => issue.message).join('\n'));
  return parsed.data;
}

/** An http or https address; credentials have variables of their own. */
export function urlVariable(name: string, example: string): z.ZodType<string, string> {
  return z
    .string({ error: `${name} is missing, for example ${name}=${example}` })
    .refine((text) => isPlainUrl(text), {
      error: `${name} is not an http or https address without user and password, for example ${name}=${example}`,
    });
}

/** A server's address that paths are appended to, given back without a slash at its end. */
export function serverVariable(name: string, example: string): z.ZodType<string, string> {
  return urlVariable(name, example)
    .refine((text) => !/[?#]/.test(text), {
      error: `${name} is a server's address and ends before any ? or #, for example ${name}=${example}`,
    })
    .transform((text) => text.replace(/\/+$/, ''));
}

/** An address that is itself the secret: whoever knows it may post. Only its variable is ever named. */
export function secretUrlVariable(name: string, example: string): z.ZodType<string, string> {
  return urlVariable(name, example).refine((text) => !/[^\x21-\x7e]/.test(text), {
    error: `${name} has white space or characters outside ASCII, for example ${name}=${example}`,
  });
}

/** A secret or another text without white space, so that it can travel in a header. */
export function wordVariable(name: string, example: string): z.ZodType<string, string> {
  return z.string({ error: `${name} is missing, for example ${name}=${example}` }).regex(/^[\x21-\x7e]+$/, {
    error: `${name} has white space or characters outside ASCII, for example ${name}=${example}`,
  });
}

/** `<CHANNEL>_SEND_RESOLVED`; off unless set, so that one incident is one push. */
export function sendResolvedVariable(name: string): z.ZodType<boolean, string | undefined> {
  return z
    .enum(['true', 'false'], { error: `${name} is neither true nor false, for example ${name}=true` })
    .default('false')
    .transform((value) => value === 'true');
}

function isPlainUrl(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '';
}
