const ONOFF = { state: 'ENABLED', variants: { on: true, off: false }, defaultVariant: 'off' };
const BLUE = { state: 'ENABLED', variants: { red: '#c00', blue: '#00c' }, defaultVariant: 'red' };

/** Flags such as services have. */
export const FLAGS = {
  flags: {
    static: { ...ONOFF, defaultVariant: 'on' },
    targeted: { ...ONOFF, targeting: { if: [{ ends_with: [{ var: 'email' }, '@example.com'] }, 'on', 'off'] } },
    fractional: { ...BLUE, targeting: { fractional: [['red', 50], ['blue', 50]] } },
    versioned: { ...BLUE, targeting: { if: [{ sem_ver: [{ var: 'version' }, '>=', '1.2.0'] }, 'blue', 'red'] } },
    nested: {
      ...BLUE,
      targeting: {
        if: [
          { and: [{ starts_with: [{ var: 'email' }, 'ada'] }, { in: [{ var: 'country' }, ['GB', 'IE', 'FR']] }, { '==': [{ var: 'plan' }, 'gold'] }] },
          { fractional: [{ cat: [{ var: '$flagd.flagKey' }, { var: 'email' }] }, ['red', 10], ['blue', 90]] },
          'red',
        ],
      },
    },
    experiment: ONOFF,
  },
};

/** One that everybody is in. */
export const EXPERIMENT = { key: 'customer', allocation: { off: [[0, 500_000]], on: [[500_000, 1_000_000]] } };
