/**
 * What a pattern's explanation does here: deliveries that waited for it go, and messages that went without it are edited
 * where the provider can. It is never a second push, and no channel is told that was not told before.
 */
import type { CloudEvent } from 'cloudevents';
import { describeError } from '../../shared/log.ts';
import { readEventNotice } from '../../shared/notice-step.ts';
import { claimEdits, releaseWaiting } from '../../shared/postgres/explanation-waits.ts';
import type { Editable } from '../../shared/postgres/explanation-waits.ts';
import { readNotice } from '../../shared/postgres/notices.ts';
import type { NoticeRow } from '../../shared/postgres/notices.ts';
import type { Pool } from '../../shared/postgres/pool.ts';
import type { Context } from '../../shared/serve.ts';
import { inSpan } from '../../shared/trace.ts';
import { toCallSpan } from './call-span.ts';
import type { Channel } from './channel.ts';
import { readMessage } from './story.ts';
import type { StoryOptions } from './story.ts';

/** A provider that has not taken an edit by then is left alone, in milliseconds. */
const EDIT_TIMEOUT_MS = 10_000;

export interface ExplainedDeps {
  readonly pool: Pool;
  readonly channels: readonly Channel[];
  readonly story: StoryOptions;
  /** Works the deliveries of an admitted notice, as for any other ring. */
  readonly tell: (row: NoticeRow, context: Context) => Promise<ReadonlyArray<CloudEvent<unknown>>>;
}

/** Handles `pattern.explained`: only the notice's id is taken from the event. */
export async function onExplained(
  deps: ExplainedDeps,
  event: CloudEvent<unknown>,
  context: Context,
): Promise<ReadonlyArray<CloudEvent<unknown>>> {
  const { pattern } = await readEventNotice(deps.pool, event, ['dev.alertgest.pattern.explained']);
  const released = await releaseWaiting(deps.pool, pattern);
  const told = await Promise.all(
    released.map(async (id) => {
      const row = await readNotice(deps.pool, id);
      return row === undefined ? [] : deps.tell(row, context);
    }),
  );
  const channels = deps.channels.filter(({ update }) => update !== undefined);
  if (channels.length > 0) {
    const names = channels.map(({ name }) => name);
    const edits = await claimEdits(deps.pool, pattern, names);
    await Promise.all(edits.map((edit) => editOne(deps, edit, context)));
  }
  return told.flat();
}

/** One edit, tried once: the push was told, and the page has the explanation all the same. */
async function editOne(
  { pool, channels, story }: ExplainedDeps,
  edit: Editable,
  { signal, log }: Context,
): Promise<void> {
  const channel = channels.find(({ name }) => name === edit.channel);
  try {
    const message = await readMessage(
      pool,
      {
        id: edit.notice,
        channel: edit.channel,
        possiblyRepeated: false,
        quiet: edit.quiet,
        insteadOf: edit.instead_of,
        summaryOf: null,
      },
      story,
    );
    const limit = AbortSignal.any([signal, AbortSignal.timeout(EDIT_TIMEOUT_MS)]);
    if (channel?.update === undefined) return;
    const { update } = channel;
    await inSpan(toCallSpan('update', channel, edit.notice), () => update(edit.provider_id, message, limit));
  } catch (error) {
    log.warn({ channel: edit.channel, ...describeError(error) }, 'a sent message was not edited');
  }
}
