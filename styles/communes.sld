<?xml version="1.0" encoding="UTF-8"?>
<!-- Les limites des communes inventées : un contour, presque pas de fond. -->
<StyledLayerDescriptor version="1.1.0" xmlns="http://www.opengis.net/sld" xmlns:se="http://www.opengis.net/se" xmlns:ogc="http://www.opengis.net/ogc">
  <NamedLayer>
    <se:Name>communes</se:Name>
    <UserStyle>
      <se:Name>communes</se:Name>
      <se:FeatureTypeStyle>
        <se:Rule>
          <se:Name>commune</se:Name>
          <se:Description><se:Title>Commune</se:Title></se:Description>
          <se:PolygonSymbolizer>
            <se:Fill><se:SvgParameter name="fill">#f4f1e6</se:SvgParameter><se:SvgParameter name="fill-opacity">0.4</se:SvgParameter></se:Fill>
            <se:Stroke><se:SvgParameter name="stroke">#6b4f2a</se:SvgParameter><se:SvgParameter name="stroke-width">1.2</se:SvgParameter></se:Stroke>
          </se:PolygonSymbolizer>
        </se:Rule>
      </se:FeatureTypeStyle>
    </UserStyle>
  </NamedLayer>
</StyledLayerDescriptor>
