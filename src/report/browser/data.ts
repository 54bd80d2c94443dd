import { colourVariable, type ReportData } from '../data.js';

/** The report's data, as the document carries it. */
export const data = JSON.parse(document.getElementById('data')?.textContent ?? '{}') as ReportData;

/** A colour of the present theme, by the name of its CSS variable. */
export function themeColour(variable: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(variable).trim();
}

/** The colour of the candidate with this id. */
export function policyColour(id: string): string {
  return themeColour(colourVariable(id));
}

/** Calls the listener when the theme changes. It is an event of the document, because page and scene are separate scripts. */
export function onTheme(listener: () => void): void {
  document.addEventListener('iq-theme', listener);
}

/** Tells the listeners of {@link onTheme} that the theme has changed. */
export function announceTheme(): void {
  document.dispatchEvent(new Event('iq-theme'));
}
