import { describe, expect, it } from 'vitest';

import { CHANNEL_TYPES } from '../../../../functions/notify/channels/index.ts';
import { previewMessages } from '../../../../functions/notify/preview.ts';
import { InvalidInputError } from '../../../../shared/errors.ts';

const options = { cluster: 'home', consoleUrl: null, decisionKeys: null, timeZone: 'UTC' };

describe('previewMessages', () => {
  it('shows what every kind of channel would be sent', () => {
    const shown = previewMessages({ alertname: 'DiskFull', runbookUrl: 'https://r.example.org/d' }, options);
    expect(Object.keys(shown)).toEqual(['title', 'body', ...CHANNEL_TYPES.map(({ type }) => type)]);
    for (const document of Object.values(shown)) expect(JSON.stringify(document)).not.toBe('{}');
    expect(shown).toMatchObject({
      ntfy: { topic: 'your-topic', title: '🟠 DiskFull · production/api' },
      pagerduty: { event_action: 'trigger', payload: { severity: 'warning' } },
    });
  });

  it('offers links only to allowed hosts', () => {
    const shown = previewMessages(
      { runbookUrl: 'https://r.example.org/d' },
      { ...options, allowedHosts: ['wiki.example.org'] },
    );
    expect(JSON.stringify(shown)).not.toContain('r.example.org');
  });

  it('refuses what is no alert', () => {
    expect(() => previewMessages({ severity: 7 }, options)).toThrow(InvalidInputError);
  });
});
