import { useState } from "react";

import classes from "@/components/picture.module.css";

interface Props {
  src: string | null;
  alt: string;
  isEager?: boolean;
  className?: string;
}

/** A product picture in a square tile; a missing or broken one leaves a quiet mark, not a gap. */
export function Picture({ src, alt, isEager = false, className }: Props) {
  const [broken, setBroken] = useState<string | null>(null);
  const box = className ? `${classes.tile} ${className}` : classes.tile;
  if (!src || broken === src) {
    return (
      <span className={box} role={alt ? "img" : undefined} aria-label={alt || undefined}>
        <svg className={classes.mark} viewBox="0 0 32 32" aria-hidden="true">
          <path d="M16 5c5.500 3.200 7.500 7.500 7.500 11.700C23.500 21.800 20 25 16 25s-7.500-3.200-7.500-8.300C8.500 12.500 10.500 8.200 16 5Zm0 7v16" />
        </svg>
      </span>
    );
  }
  return (
    <span className={box}>
      <img
        src={src}
        alt={alt}
        loading={isEager ? "eager" : "lazy"}
        fetchPriority={isEager ? "high" : "auto"}
        decoding="async"
        width={400}
        height={400}
        onError={() => {
          setBroken(src);
        }}
      />
    </span>
  );
}
