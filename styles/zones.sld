<?xml version="1.0" encoding="UTF-8"?>
<!-- Les zones d'un plan inventé, une couleur par nature. -->
<StyledLayerDescriptor version="1.1.0" xmlns="http://www.opengis.net/sld" xmlns:se="http://www.opengis.net/se" xmlns:ogc="http://www.opengis.net/ogc">
  <NamedLayer>
    <se:Name>zones</se:Name>
    <UserStyle>
      <se:Name>zones</se:Name>
      <se:FeatureTypeStyle>
        <se:Rule>
          <se:Name>a_batir</se:Name>
          <se:Description><se:Title>Zone à bâtir</se:Title></se:Description>
          <ogc:Filter><ogc:PropertyIsEqualTo><ogc:PropertyName>libelle</ogc:PropertyName><ogc:Literal>Zone à bâtir</ogc:Literal></ogc:PropertyIsEqualTo></ogc:Filter>
          <se:PolygonSymbolizer>
            <se:Fill><se:SvgParameter name="fill">#e8a07c</se:SvgParameter><se:SvgParameter name="fill-opacity">0.7</se:SvgParameter></se:Fill>
            <se:Stroke><se:SvgParameter name="stroke">#555555</se:SvgParameter><se:SvgParameter name="stroke-width">0.6</se:SvgParameter></se:Stroke>
          </se:PolygonSymbolizer>
        </se:Rule>
        <se:Rule>
          <se:Name>protegee</se:Name>
          <se:Description><se:Title>Zone protégée</se:Title></se:Description>
          <ogc:Filter><ogc:PropertyIsEqualTo><ogc:PropertyName>libelle</ogc:PropertyName><ogc:Literal>Zone protégée</ogc:Literal></ogc:PropertyIsEqualTo></ogc:Filter>
          <se:PolygonSymbolizer>
            <se:Fill><se:SvgParameter name="fill">#bcd98a</se:SvgParameter><se:SvgParameter name="fill-opacity">0.7</se:SvgParameter></se:Fill>
            <se:Stroke><se:SvgParameter name="stroke">#555555</se:SvgParameter><se:SvgParameter name="stroke-width">0.6</se:SvgParameter></se:Stroke>
          </se:PolygonSymbolizer>
        </se:Rule>
        <se:Rule>
          <se:Name>foret</se:Name>
          <se:Description><se:Title>Forêt</se:Title></se:Description>
          <ogc:Filter><ogc:PropertyIsEqualTo><ogc:PropertyName>libelle</ogc:PropertyName><ogc:Literal>Forêt</ogc:Literal></ogc:PropertyIsEqualTo></ogc:Filter>
          <se:PolygonSymbolizer>
            <se:Fill><se:SvgParameter name="fill">#5f9a5c</se:SvgParameter><se:SvgParameter name="fill-opacity">0.7</se:SvgParameter></se:Fill>
            <se:Stroke><se:SvgParameter name="stroke">#555555</se:SvgParameter><se:SvgParameter name="stroke-width">0.6</se:SvgParameter></se:Stroke>
          </se:PolygonSymbolizer>
        </se:Rule>
      </se:FeatureTypeStyle>
    </UserStyle>
  </NamedLayer>
</StyledLayerDescriptor>
