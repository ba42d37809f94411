/**
 * uPlot hands `navigator.language` to Intl as soon as it is loaded, and under a POSIX locale (LANG=C) Chromium says
 * "en-US@posix", which Intl refuses: the whole page would fall. Imported before uPlot.
 */
export function validLanguage(language: string): string {
  try {
    new Intl.NumberFormat(language);
    return language;
  } catch {
    return 'en-US';
  }
}

if (typeof navigator !== 'undefined' && validLanguage(navigator.language) !== navigator.language) {
  Object.defineProperty(navigator, 'language', { value: 'en-US', configurable: true });
}
