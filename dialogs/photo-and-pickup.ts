/** The guided path from the photo to the card in hand (T3). A card is collected where its photo was taken (R34). */
import { isTold, knows, outcomes, vocabulary } from './vocabulary.ts';

export const photoAndPickup = vocabulary.createStateConfig({
  id: 'photo-and-pickup',
  entry: { type: 'openPath', params: 'photo-and-pickup' },
  initial: 'askingPhotographed',
  states: {
    askingPhotographed: {
      meta: { asks: 'photographed' },
      always: [
        { guard: knows({ photographed: true }), target: 'askingPhotoSite' },
        { guard: knows({ codesArrived: true }), target: 'askingPhotoSite' },
        { guard: knows({ cardReady: true }), target: 'askingPhotoSite' },
        { guard: isTold('photographed'), target: 'notPhotographed' },
      ],
    },
    askingPhotoSite: {
      meta: { asks: 'photoSite' },
      always: [
        { guard: knows({ photoSite: 'unknown' }), target: 'photoSiteUnknown' },
        { guard: isTold('photoSite'), target: 'askingReadiness' },
      ],
    },
    askingReadiness: {
      meta: { asks: 'readiness' },
      always: [
        { guard: isTold('cardReady'), target: 'askingCodesArrived' },
        { guard: isTold('codesArrived'), target: 'askingCardReady' },
      ],
    },
    askingCodesArrived: {
      meta: { asks: 'codesArrived' },
      always: { guard: isTold('codesArrived'), target: 'knowingReadiness' },
    },
    askingCardReady: {
      meta: { asks: 'cardReady' },
      always: { guard: isTold('cardReady'), target: 'knowingReadiness' },
    },
    knowingReadiness: {
      always: [
        { guard: knows({ cardReady: true, codesArrived: true, photoSite: 'lindhagen' }), target: 'collectAtLindhagen' },
        { guard: knows({ cardReady: true, codesArrived: true }), target: 'collectAtSodersjukhuset' },
        { guard: knows({ codesArrived: true }), target: 'waitForCard' },
        { guard: knows({ cardReady: true }), target: 'waitForCodes' },
        { target: 'waitForBoth' },
      ],
    },
    ...outcomes(
      'photo-and-pickup',
      'notPhotographed',
      'photoSiteUnknown',
      'collectAtLindhagen',
      'collectAtSodersjukhuset',
      'waitForCard',
      'waitForCodes',
      'waitForBoth',
    ),
  },
});
