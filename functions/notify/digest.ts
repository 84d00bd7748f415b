/** Tells a built digest: plans its deliveries once, works them, and makes it final with all that waited for it. */
import type { CloudEvent } from 'cloudevents';
import { readDigestId } from '../../shared/digest-event.ts';
import { InvalidInputError } from '../../shared/errors.ts';
import { createEvent } from '../../shared/events.ts';
import type { EventSource } from '../../shared/events.ts';
import { planDeliveries } from '../../shared/postgres/deliveries.ts';
import {
  finishDigest,
  lockUnplanned,
  markDigestPlanned,
  readDigestById,
} from '../../shared/postgres/digests.ts';
import type { DigestRow } from '../../shared/postgres/digests.ts';
import { transaction } from '../../shared/postgres/pool.ts';
import type { Pool } from '../../shared/postgres/pool.ts';
import type { Context } from '../../shared/serve.ts';
import type { Channel } from './channel.ts';
import type { Deliverer } from './delivery.ts';
import { toDigestMessage } from './digest-message.ts';
import type { StoryOptions } from './story.ts';

/** Where a digest goes, and what stands in when none of that takes it. */
export interface DigestChannels {
  readonly channels: readonly string[];
  readonly fallback: readonly string[];
}

export interface DigestDeps {
  readonly pool: Pool;
  readonly source: EventSource;
  readonly deliverer: Deliverer;
  readonly channels: readonly Channel[];
  readonly digestChannels?: (name: string) => DigestChannels;
  readonly story: Pick<StoryOptions, 'consoleUrl' | 'allowedHosts'>;
}

/**
 * The channels of digests: those that were named, else every one that opens nothing and costs nothing by the message.
 * A digest is no incident, so pagers never get it.
 */
export function chooseDigestChannels(
  channels: ReadonlyArray<Pick<Channel, 'name' | 'type' | 'closes'>>,
  named: readonly string[] | null,
): DigestChannels {
  const fit = channels.filter(({ closes, type }) => !closes && type !== 'sms').map(({ name }) => name);
  if (named === null) return { channels: fit, fallback: [] };
  return { channels: named, fallback: fit.filter((name) => !named.includes(name)) };
}

/** The step of `digest.built`: built → sent, dead or kept. */
export async function tellDigest(
  deps: DigestDeps,
  event: CloudEvent<unknown>,
  { log, signal }: Context,
): Promise<ReadonlyArray<CloudEvent<unknown>>> {
  const id = readDigestId(event);
  const row = await readDigestById(deps.pool, id);
  if (row === undefined)
    throw new InvalidInputError("no digest has the id in the event's subject", 'unknown-id');
  if (row.status !== 'built') return [toDelivered(deps.source, row)];
  const { channels, fallback } = deps.digestChannels?.(row.name) ?? chooseDigestChannels(deps.channels, null);
  if (channels.length === 0) return finish(deps, row, 'kept', 'no channel is configured for digests');
  await transaction(deps.pool, async (client) => {
    if (!(await lockUnplanned(client, id))) return;
    await planDeliveries(
      client,
      { digest: id },
      channels.map((channel) => ({ channel, fallback })),
    );
    await markDigestPlanned(client, id);
  });
  const { open, sent, lastError } = await deps.deliverer.deliver({
    owner: { digest: id },
    isUrgent: true,
    toMessage: async ({ possiblyRepeated }) => toDigestMessage(row, { possiblyRepeated, ...deps.story }),
    signal,
  });
  // What is left waits for its time; the sweep rings again.
  if (open > 0) return [];
  if (sent > 0) return finish(deps, row, 'sent', null);
  log.error({ digest_id: id, why: lastError }, 'nobody could be told of the digest');
  return finish(deps, row, 'dead', lastError ?? 'no delivery succeeded');
}

async function finish(
  { pool, source }: DigestDeps,
  row: DigestRow,
  status: 'sent' | 'dead' | 'kept',
  reason: string | null,
): Promise<ReadonlyArray<CloudEvent<unknown>>> {
  await finishDigest(pool, row.id, status, reason);
  return [toDelivered(source, { ...row, status, reason })];
}

function toDelivered(source: EventSource, row: DigestRow): CloudEvent<unknown> {
  return createEvent('dev.alertgest.digest.delivered', source, `digest-${row.id}`, 'delivered', {
    digest: row.id,
    from: row.window_start.toISOString(),
    to: row.window_end.toISOString(),
    status: row.status,
    reason: row.reason,
  });
}
