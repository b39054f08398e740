import java.util.Map;
import java.util.function.Supplier;

import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.analysis.ar.ArabicAnalyzer;
import org.apache.lucene.analysis.en.EnglishAnalyzer;
import org.apache.lucene.analysis.fr.FrenchAnalyzer;
import org.elasticsearch.index.analysis.AnalyzerProvider;
import org.elasticsearch.index.analysis.AnalyzerScope;
import org.elasticsearch.index.analysis.PreBuiltAnalyzerProvider;
import org.elasticsearch.indices.analysis.AnalysisModule.AnalysisProvider;
import org.elasticsearch.plugins.AnalysisPlugin;
import org.elasticsearch.plugins.Plugin;

/**
 * Registers the analysers of Elasticsearch's analysis-common module that the
 * index template uses: the module itself is not published as a jar, the
 * Lucene classes behind it are.
 */
public class LanguageAnalyzers extends Plugin implements AnalysisPlugin {
  private static AnalysisProvider<AnalyzerProvider<? extends Analyzer>> of(Supplier<Analyzer> analyzer) {
    return (index, env, name, settings) ->
        new PreBuiltAnalyzerProvider(name, AnalyzerScope.INDEX, analyzer.get());
  }

  @Override
  public Map<String, AnalysisProvider<AnalyzerProvider<? extends Analyzer>>> getAnalyzers() {
    return Map.of(
        "arabic", of(ArabicAnalyzer::new),
        "english", of(EnglishAnalyzer::new),
        "french", of(FrenchAnalyzer::new));
  }
}
