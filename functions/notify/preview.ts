/** Renders a message from hand-made data, for a dry run. */
import * as z from 'zod';
import { InvalidInputError } from '../../shared/errors.ts';
import { SEVERITIES } from '../../shared/severity.ts';
import { CHANNEL_TYPES } from './channels/index.ts';
import { toMessage } from './message.ts';
import type { StoryOptions } from './story.ts';

const previewSchema = z.object({
  kind: z.enum(['opened', 'grew', 'resolved', 'due']).default('opened'),
  alertname: z.string().default('HighMemoryUsage'),
  severity: z.enum(SEVERITIES).default('warning'),
  namespace: z.string().nullable().default('production'),
  identity: z.string().default('production/api'),
  summary: z.string().default('Memory usage above 90%'),
  description: z.string().default(''),
  why: z.string().default('first alert of a new incident'),
  nextStep: z.string().nullable().default(null),
  runbookUrl: z.string().nullable().default(null),
  samples: z.array(z.string()).default([]),
});

/** What each channel would be sent; nothing is sent. */
export function previewMessages(data: unknown, options: StoryOptions): object {
  const parsed = previewSchema.safeParse(data ?? {});
  if (!parsed.success) {
    throw new InvalidInputError(
      'for a dry run, data must be an alert\'s facts such as {"alertname":"X","severity":"critical","identity":"ns/api"}',
    );
  }
  const now = new Date();
  const message = toMessage({
    ...parsed.data,
    cluster: options.cluster,
    category: null,
    startedAt: now,
    endedAt: null,
    now,
    openEpisodes: 1,
    episodes: 1,
    incidentKey: 'ag-dry-run',
    missing: [],
    possiblyRepeated: false,
    quiet: false,
    batch: null,
    decided: null,
    button: null,
    link: options.consoleUrl,
    timeZone: options.timeZone,
    allowedHosts: options.allowedHosts,
  });
  return {
    title: message.title,
    body: message.body,
    ...Object.fromEntries(CHANNEL_TYPES.map(({ type, preview }) => [type, preview(message)])),
  };
}
