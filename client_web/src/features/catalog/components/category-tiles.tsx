import { Skeleton, Title } from "@mantine/core";
import { useQueries, useQuery } from "@tanstack/react-query";
import { Link } from "react-router";

import { Picture } from "@/components/picture";
import { categoriesOptions } from "@/features/catalog/api/get-categories";
import { shelfOptions } from "@/features/catalog/api/get-products";
import { categoryUrl } from "@/features/catalog/filter-url";
import { departments } from "@/features/catalog/departments";

import classes from "@/features/catalog/components/category-tiles.module.css";

const COUNT = 6;

/** The largest departments, each shown by its best rated product. */
export function CategoryTiles() {
  const categories = useQuery(categoriesOptions());
  const tiles = departments(categories.data?.items ?? []).slice(0, COUNT);
  const faces = useQueries({
    queries: tiles.map((tile) => shelfOptions({ category: tile.value, sort: "rating" }, 1)),
  });
  if (categories.isError) return null;
  return (
    <section className={classes.section}>
      <Title order={2} mb="md">
        Shop by category
      </Title>
      <ul className={classes.tiles}>
        {categories.isPending &&
          Array.from({ length: COUNT }, (_, index) => (
            <li key={index}>
              <Skeleton className={classes.skeleton} radius="md" />
            </li>
          ))}
        {tiles.map((tile, index) => (
          <li key={tile.value}>
            <Link to={categoryUrl(tile.value)} className={classes.tile}>
              <Picture src={faces[index]?.data?.items[0]?.image_url ?? null} alt="" />
              <span className={classes.name}>{tile.name}</span>
              <span className={classes.count}>{tile.count.toLocaleString("en-GB")} items</span>
            </Link>
          </li>
        ))}
      </ul>
    </section>
  );
}
