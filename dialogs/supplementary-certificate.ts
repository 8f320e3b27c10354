/** The guided path for a card from another region, and the certificate that makes it work here (T8). */
import { isTold, knows, outcomes, vocabulary } from './vocabulary.ts';

export const supplementaryCertificate = vocabulary.createStateConfig({
  id: 'supplementary-certificate',
  entry: { type: 'openPath', params: 'supplementary-certificate' },
  initial: 'askingCertificateGranted',
  states: {
    askingCertificateGranted: {
      meta: { asks: 'certificateGranted' },
      always: [
        { guard: knows({ certificateGranted: true }), target: 'askingHasPinCodes' },
        { guard: isTold('certificateGranted'), target: 'askUniversity' },
      ],
    },
    askingHasPinCodes: {
      meta: { asks: 'hasPinCodes' },
      always: [
        { guard: knows({ hasPinCodes: true }), target: 'canDownload' },
        { guard: isTold('hasPinCodes'), target: 'needsCodesFirst' },
      ],
    },
    ...outcomes('supplementary-certificate', 'askUniversity', 'canDownload', 'needsCodesFirst'),
  },
});
