/** The headings the fashion catalogue writes into its running text. */
const HEADINGS = ["Why you'll reach for it", "Fabric & care", "Fit & sizing", "Wear it with"];

export interface Section {
  title: string;
  text: string;
}

/** The description cut at its own headings; the first section has no title. */
export function sections(description: string): Section[] {
  const found = HEADINGS.map((title) => ({ title, at: description.indexOf(title) }))
    .filter(({ at }) => at >= 0)
    .sort((a, b) => a.at - b.at);
  const intro = description.slice(0, found[0]?.at ?? description.length).trim();
  return [
    { title: "", text: intro },
    ...found.map(({ title, at }, index) => ({
      title,
      text: description.slice(at + title.length, found[index + 1]?.at ?? description.length).trim(),
    })),
  ].filter((section, index) => index === 0 || section.text !== "");
}
