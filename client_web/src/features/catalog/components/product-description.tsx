import { sections } from "@/features/catalog/description";

import classes from "@/features/catalog/components/product-description.module.css";

export function ProductDescription({ text }: { text: string }) {
  const [intro, ...rest] = sections(text);
  return (
    <div className={classes.description}>
      {intro && <p>{intro.text}</p>}
      {rest.map((section, index) => (
        <details key={section.title} open={index === 0}>
          <summary>{section.title}</summary>
          <p>{section.text}</p>
        </details>
      ))}
    </div>
  );
}
