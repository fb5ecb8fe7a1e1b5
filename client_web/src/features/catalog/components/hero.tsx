import { Button, Skeleton, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";

import { Picture } from "@/components/picture";
import { shelfOptions } from "@/features/catalog/api/get-products";
import { categoryUrl } from "@/features/catalog/filter-url";
import { BRAND } from "@/lib/brand";
import { formatMoney } from "@/lib/format-money";

import classes from "@/features/catalog/components/hero.module.css";

const CATEGORY = "Outdoor";
const COUNT = 4;

/** The outdoor goods have the large pictures, so they open the shop. */
export function Hero() {
  const featured = useQuery(shelfOptions({ category: CATEGORY, featured: true, in_stock: true }, COUNT));
  const products = featured.data?.items ?? [];
  return (
    <section className={classes.hero} data-bare={featured.isError || undefined}>
      <div className={classes.words}>
        <Text className={classes.kicker}>The outdoor edit</Text>
        <h1 className={classes.claim}>{BRAND.claim}</h1>
        <Text className={classes.lead}>
          Boots, packs and layers picked for long days out, and a wardrobe for the days in between.
        </Text>
        <div className={classes.actions}>
          <Button component={Link} to={categoryUrl(CATEGORY)} size="md">
            Shop outdoor
          </Button>
          <Button component={Link} to="/products?sort=newest" size="md" variant="default">
            What is new
          </Button>
        </div>
      </div>
      <ul className={classes.goods}>
        {featured.isPending &&
          Array.from({ length: COUNT }, (_, index) => (
            <li key={index}>
              <Skeleton className={classes.skeleton} radius="md" />
            </li>
          ))}
        {products.map((product, index) => (
          <li key={product.product_id}>
            <Link to={`/products/${encodeURIComponent(product.product_id)}`} className={classes.good}>
              <Picture src={product.image_url} alt="" isEager={index < 2} />
              <span className={classes.label}>
                <span>{product.title}</span>
                <b>{formatMoney(product.price)}</b>
              </span>
            </Link>
          </li>
        ))}
      </ul>
    </section>
  );
}
