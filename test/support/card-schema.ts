/**
 * The part of Adaptive Cards 1.4 (https://adaptivecards.io/explorer/) that our cards are made of, written down strictly:
 * a property or value that is not listed is an error, also where hosts would forgive it.
 */
import * as z from 'zod';

const spacing = z.enum(['default', 'none', 'small', 'medium', 'large', 'extraLarge', 'padding']);
const openUrl = z.strictObject({
  type: z.literal('Action.OpenUrl'),
  title: z.string().optional(),
  url: z.url(),
});
const toggle = z.strictObject({
  type: z.literal('Action.ToggleVisibility'),
  title: z.string(),
  targetElements: z.array(z.string()).min(1),
});
const textRun = z.strictObject({
  type: z.literal('TextRun'),
  text: z.string(),
  size: z.enum(['default', 'small', 'medium', 'large', 'extraLarge']).optional(),
  weight: z.enum(['default', 'lighter', 'bolder']).optional(),
  color: z.enum(['default', 'dark', 'light', 'accent', 'good', 'warning', 'attention']).optional(),
  isSubtle: z.boolean().optional(),
  selectAction: openUrl.optional(),
});
const richText = z.strictObject({
  type: z.literal('RichTextBlock'),
  id: z.string().optional(),
  spacing: spacing.optional(),
  inlines: z.array(textRun).min(1),
});
const container = z.strictObject({
  type: z.literal('Container'),
  id: z.string().optional(),
  style: z.enum(['default', 'emphasis', 'good', 'attention', 'warning', 'accent']).optional(),
  // A text such as "true" is what the proposal had; hosts refuse it.
  isVisible: z.boolean().optional(),
  items: z.array(richText).min(1),
});
const actionSet = z.strictObject({
  type: z.literal('ActionSet'),
  actions: z
    .array(z.union([toggle, openUrl]))
    .min(1)
    .max(6),
});

/** What is posted to a Teams flow. */
export const cardMessageSchema = z.strictObject({
  type: z.literal('message'),
  attachments: z.tuple([
    z.strictObject({
      contentType: z.literal('application/vnd.microsoft.card.adaptive'),
      contentUrl: z.null(),
      content: z.strictObject({
        $schema: z.literal('http://adaptivecards.io/schemas/adaptive-card.json'),
        type: z.literal('AdaptiveCard'),
        version: z.literal('1.4'),
        msteams: z.strictObject({ width: z.literal('Full') }),
        body: z.array(z.union([richText, container, actionSet])).min(1),
        actions: z.array(openUrl).max(6),
      }),
    }),
  ]),
});
