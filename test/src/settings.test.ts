import { describe, expect, it } from '@jest/globals';
import { readSettings } from '../../src/settings.ts';

describe('the settings', () => {
  it('have no contact details, unless the deployment gives them', () => {
    expect(readSettings({})).toEqual({ contacts: {}, hasColour: true });
    expect(readSettings({ KORTLOTSEN_SERVICEDESK: ' telefon 08-000 00 00 ', NO_COLOR: '1' })).toEqual({
      contacts: { servicedesk: 'telefon 08-000 00 00' },
      hasColour: false,
    });
  });

  it('are refused with every complaint at once, and without repeating what was written', () => {
    const wrong = {
      KORTLOTSEN_SERVICEDESK: '',
      KORTLOTSEN_IT_PORTAL: '<script>',
      KORTLOTSEN_BOOKING_CALENDAR: 'x'.repeat(201),
    };
    expect(() => readSettings(wrong)).toThrow(
      /SERVICEDESK is empty.*\n.*IT_PORTAL holds.*\n.*BOOKING_CALENDAR is longer/s,
    );
    expect(() => readSettings(wrong)).not.toThrow(/script|xxx/);
  });
});
