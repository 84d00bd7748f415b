import { describe, expect, it } from 'vitest';
import { toMessage } from '../../../../functions/notify/message.ts';
import type { MessageInput } from '../../../../functions/notify/message.ts';
import { makeMessageInput } from '../../../support/messages.ts';

const button = {
  label: 'Undo',
  pageUrl: 'https://a.example/d/t',
  act: { url: 'https://a.example/d', token: 't' },
};
const ignored = {
  kind: 'ignore',
  until: new Date('2024-01-22T02:34:00Z'),
  actor: 'link:ntfy',
  note: null,
  superseded: false,
} as const;
const told = (decided: MessageInput['decided'], more: Partial<MessageInput> = {}): string =>
  toMessage(makeMessageInput({ kind: 'due', quiet: true, decided, button, ...more })).body.split('\n')[0] ??
  '';

describe('the message that tells of a decision', () => {
  it('says what, until when, by whom and that it can be undone, without a sound', () => {
    const message = toMessage(makeMessageInput({ kind: 'due', quiet: true, decided: ignored, button }));
    expect(message).toMatchObject({
      title: '🔕 HighMemoryUsage · production/api-server',
      priority: 'silent',
      button,
    });
    expect(message.body).toBe(
      'Ignored until 22 Jan 02:34 UTC by a tap in ntfy · Undo\nWhere: namespace production · cluster home · workload',
    );
  });

  it.each([
    [{ ...ignored, until: null }, 'Ignored until it changes by a tap in ntfy · Undo'],
    [{ ...ignored, kind: 'quiet', until: null, actor: 'ann' }, 'Pushed without sound by ann · Undo'],
    [{ ...ignored, kind: 'snooze' }, 'Snoozed until 22 Jan 02:34 UTC by a tap in ntfy · Undo'],
  ] as const)('%j', (decided, line) => {
    expect(told(decided)).toBe(line);
  });

  it('offers nothing that cannot be undone, and says when somebody decided again', () => {
    expect(told({ ...ignored, kind: 'revoke', until: null }, { button: null })).toBe(
      'Told again as before by a tap in ntfy',
    );
    const { body } = toMessage(makeMessageInput({ decided: { ...ignored, superseded: true }, button: null }));
    expect(body).toContain('decided again since');
  });

  it('shows what people wrote as text', () => {
    const { body } = toMessage(
      makeMessageInput({
        decided: { ...ignored, actor: 'a\u202eb', note: 'see https://evil.example\nWhy: x' },
      }),
    );
    expect(body).toContain('by ab');
    expect(body).toContain('Note: see https[:]//evil.example Why: x');
  });
});
