/** A channel against its stand-in: made from its variables, sent through, and asked why it failed. */
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';

import { channelsFromEnv, type Channel } from '../../functions/notify/channels/index.ts';
import { toMessage, type MessageInput } from '../../functions/notify/message.ts';
import { DeliveryError } from '../../shared/errors.ts';
import { makeMessageInput } from './messages.ts';
import type { Sink } from './sinks.ts';

/** The channel that a sink's variables configure. */
export function channelOf(sink: Pick<Sink, 'env'>): Channel {
  const [channel] = channelsFromEnv(sink.env);
  if (channel === undefined) throw new Error('the variables of the sink make no channel');
  return channel;
}

/** Sends one message; `previousId` is the provider's id of the incident's last one. */
export function sendTo(
  channel: Channel,
  input: Partial<MessageInput> = {},
  signal: AbortSignal = AbortSignal.timeout(10_000),
  previousId: string | null = null,
): ReturnType<Channel['send']> {
  return channel.send(toMessage(makeMessageInput(input)), { signal, previousId });
}

/** The failure of something that must fail as a delivery does. */
export async function failureOf(sending: Promise<unknown>): Promise<DeliveryError> {
  const outcome = await sending.then(
    () => 'delivered',
    (error: unknown) => error,
  );
  expect(outcome).toBeInstanceOf(DeliveryError);
  return outcome as DeliveryError;
}

/** What a type's fixture says is sent for an opened incident, without what only the configuration knows. */
export function readFixture(type: string): { readonly opened: object } {
  const file = new URL(`../fixtures/channels/${type}.json`, import.meta.url);
  const { opened } = JSON.parse(readFileSync(file, 'utf8')) as { opened: Record<string, unknown> };
  const { topic: _topic, path: _path, body, ...rest } = opened;
  return {
    opened:
      typeof body === 'object' && body !== null ? body : { ...rest, ...(body !== undefined && { body }) },
  };
}
